/** Store, writer and live dispatches of a result manager, without the manager: for what works on all of the store. Time moves when told; timers fire in the next turn. */
import { LiveDispatches } from '../../../actors/results/live.ts';
import { RecordWriter } from '../../../actors/results/writer.ts';
import type { RecordOp } from '../../../bus/protocol/results.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import type { Clock } from '../../../model/clock.ts';
import type { DispatchId } from '../../../model/ids.ts';
import type { ValueInfo } from '../../../model/outcome.ts';
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../../model/records.ts';
import type { Store } from '../../../store/store.ts';

export class ResultsRig {
  readonly store: Store;
  readonly live = new LiveDispatches();
  readonly writer: RecordWriter;
  readonly clock: Clock;
  readonly forgotten: DispatchId[] = [];
  /** Called at each pause of the work, before it goes on. */
  onPause: () => void = () => undefined;
  #n = 0;

  constructor(store: Store, nowMs: () => number) {
    this.store = store;
    this.writer = new RecordWriter(store, this.live, () => undefined);
    this.clock = {
      now: nowMs,
      monotonic: nowMs,
      after: (_ms, callback) => {
        this.onPause();
        const timer = setImmediate(callback);
        return { cancel: () => clearImmediate(timer) };
      },
    };
  }

  forget = (id: DispatchId): void => void this.forgotten.push(id);

  write(...ops: readonly RecordOp[]): Promise<void> {
    return this.writer.write('s', 1, ++this.#n, ops);
  }

  /** A stored value that no record names. */
  value(text: string | Uint8Array): ValueInfo {
    const bytes = typeof text === 'string' ? new Uint8Array(Buffer.from(text)) : text;
    void this.store.write([{ op: 'value', digest: digestOf(bytes), bytes }]);
    return valueInfoOf(bytes);
  }

  async blob(bytes: Uint8Array): Promise<ValueInfo> {
    const info = valueInfoOf(bytes);
    const upload = await this.store.openBlob(info.digest, info.size);
    await upload.write(bytes);
    await upload.finish();
    return info;
  }

  accept(spec: DispatchSpec): Promise<void> {
    return this.write({ op: 'accept', spec, contentDigest: spec.graph.digest });
  }

  completed(id: DispatchId, node: number, value: ValueInfo): Promise<void> {
    return this.write({ op: 'electron', id, node, was: undefined, record: done(value) });
  }

  ended(id: DispatchId, record: Partial<DispatchRecord> = {}): Promise<void> {
    return this.write({ op: 'dispatch', id, record: { status: 'completed', seq: 9, errors: [], ...record } });
  }

  here(...values: readonly ValueInfo[]): boolean[] {
    return values.map(({ digest }) => this.store.valueSize(digest) !== undefined);
  }
}

export const done = (value: ValueInfo): ElectronRecord => ({
  status: 'completed',
  attempt: 1,
  failures: 0,
  losses: 0,
  seq: 3,
  value,
});
