/**
 * Turns record ops into store writes, in each sender's order without gaps, and keeps the live counts in step.
 *
 * N1. In a process of its own the manager may die with batches on disk that their sender believes lost, and sends again. So the number of a
 *     batch is stored with it: what comes again after a restart is only answered. Applied twice it would count twice.
 */
import { digestOf } from '../../bus/value/digest.ts';
import type { RecordOp, WritePosition } from '../../bus/protocol/results.ts';
import { PolaronError } from '../../model/errors.ts';
import type { DispatchId } from '../../model/ids.ts';
import { isTerminalDispatch } from '../../model/lifecycle.ts';
import type { DispatchRecord, DispatchSpec } from '../../model/records.ts';
import {
  encodeAgent,
  encodeAttempt,
  encodeCached,
  encodeDispatch,
  encodeElectron,
  encodeExpansion,
  encodeKey,
  encodeLogs,
  encodeNumber,
  encodeSpec,
  keys,
} from '../../store/records.ts';
import type { Store, WriteOp } from '../../store/store.ts';
import type { LiveDispatches } from './live.ts';

const ACCEPTED = encodeDispatch({ status: 'accepted', seq: 0, errors: [] });
const LIVE = encodeNumber(1);

interface Sender {
  expected: number;
  readonly early: Map<
    number,
    { readonly ops: readonly RecordOp[]; readonly done: (flushed: Promise<void>) => unknown }
  >;
}

/** A dispatch that is over, with its last record. */
export interface Ended {
  readonly id: DispatchId;
  readonly record: DispatchRecord;
}

export class RecordWriter {
  readonly #store: Store;
  readonly #live: LiveDispatches;
  readonly #senders = new Map<string, Sender>();
  /** Who waits for a batch that has not come. */
  #reaching: { readonly position: WritePosition; readonly resolve: () => void }[] = [];
  /** Called when a dispatch's end is on disk. */
  readonly #onEnd: (ended: Ended) => void;
  readonly #onAccept: ((spec: DispatchSpec) => void) | undefined;
  /** Its sender outlives it (N1). */
  readonly #numbered: boolean;

  /** Told of every batch before it is written, while somebody wants to know. */
  watch: ((ops: readonly RecordOp[]) => void) | undefined;

  constructor(
    store: Store,
    live: LiveDispatches,
    onEnd: (ended: Ended) => void,
    o: { readonly numbered?: boolean; readonly onAccept?: (spec: DispatchSpec) => void } = {},
  ) {
    this.#store = store;
    this.#live = live;
    this.#onEnd = onEnd;
    this.#numbered = o.numbered ?? false;
    this.#onAccept = o.onAccept;
    const last = this.#numbered ? store.get(keys.lastBatch) : undefined;
    if (last === undefined) return;
    const [sender = '', n] = Buffer.from(last).toString('utf8').split(' ');
    this.#senders.set(sender, { expected: Number(n) + 1, early: new Map() });
  }

  /** Resolves when all up to this batch has been written, though perhaps not flushed. */
  async reached(position: WritePosition): Promise<void> {
    if (!this.#has(position)) await new Promise<void>((resolve) => this.#reaching.push({ position, resolve }));
  }

  #has({ sender, n }: WritePosition): boolean {
    return n === 0 || n < (this.#senders.get(sender)?.expected ?? 0);
  }

  /** Resolves when the batch is flushed. One that comes early waits for those before it; one that comes again is only waited for. */
  write(sender: string, from: number, n: number, ops: readonly RecordOp[]): Promise<void> {
    let known = this.#senders.get(sender);
    if (known === undefined) this.#senders.set(sender, (known = { expected: from, early: new Map() }));
    if (n < known.expected) return this.#store.write([]);
    if (n > known.expected) {
      const { early } = known;
      return new Promise((resolve, reject) => early.set(n, { ops, done: (flushed) => flushed.then(resolve, reject) }));
    }
    const flushed = this.#apply(sender, n, ops);
    known.expected++;
    for (let next = known.early.get(known.expected); next !== undefined; next = known.early.get(known.expected)) {
      known.early.delete(known.expected);
      next.done(this.#apply(sender, known.expected++, next.ops));
    }
    if (this.#reaching.length > 0) this.#release();
    return flushed;
  }

  #release(): void {
    const waiting = this.#reaching;
    this.#reaching = waiting.filter(({ position }) => !this.#has(position));
    for (const { position, resolve } of waiting) if (this.#has(position)) resolve();
  }

  #apply(sender: string, n: number, ops: readonly RecordOp[]): Promise<void> {
    this.watch?.(ops);
    const writes: WriteOp[] = [];
    if (this.#numbered) writes.push({ op: 'put', key: keys.lastBatch, value: Buffer.from(`${sender} ${n}`) });
    const ended: Ended[] = [];
    for (const op of ops) this.#convert(op, writes, ended);
    const flushed = this.#store.write(writes);
    if (ended.length > 0) {
      flushed.then(
        () => ended.forEach(this.#onEnd),
        () => undefined,
      );
    }
    return flushed;
  }

  /** What an attempt leaves may come after the dispatch's end, and after a purge. */
  #purged(id: DispatchId): boolean {
    return !this.#live.has(id) && this.#store.get(keys.spec(id)) === undefined;
  }

  #convert(op: RecordOp, writes: WriteOp[], ended: Ended[]): void {
    switch (op.op) {
      case 'electron':
        this.#live.changed(op.id, op.node, op.was, op.record.status, op.record.seq);
        writes.push({ op: 'put', key: keys.electron(op.id, op.node), value: encodeElectron(op.record) });
        return;
      case 'value':
        writes.push({ op: 'value', digest: op.digest, bytes: op.bytes });
        return;
      case 'dispatch': {
        const over = isTerminalDispatch(op.record.status);
        const record = over ? { ...op.record, counts: this.#live.counts(op.id) } : op.record;
        writes.push({ op: 'put', key: keys.dispatch(op.id), value: encodeDispatch(record) });
        if (over) {
          this.#live.remove(op.id);
          writes.push({ op: 'remove', key: keys.live(op.id) });
          ended.push({ id: op.id, record });
        }
        return;
      }
      case 'accept': {
        const { spec } = op;
        this.#live.add(spec.id, spec.nodes);
        this.#onAccept?.(spec);
        writes.push({ op: 'put', key: keys.spec(spec.id), value: encodeSpec(spec) });
        writes.push({
          op: 'put',
          key: keys.dispatch(spec.id),
          value: ACCEPTED,
        });
        writes.push({ op: 'put', key: keys.live(spec.id), value: LIVE });
        if (spec.origin?.reuse === true && spec.origin.by === undefined)
          writes.push({ op: 'put', key: keys.use(spec.origin.of, spec.id), value: new Uint8Array() });
        writes.push({
          op: 'put',
          key: keys.idempotency(spec.user, keyPart(spec.key)),
          value: encodeKey(spec.id, op.contentDigest),
        });
        return;
      }
      case 'expansion':
        this.#live.grow(op.id, op.record.count);
        writes.push({
          op: 'put',
          key: keys.expansion(op.id, op.record.base, op.record.map),
          value: encodeExpansion(op.record),
        });
        return;
      case 'logs':
        if (this.#purged(op.id)) return;
        writes.push({ op: 'put', key: keys.logs(op.id, op.node, op.attempt), value: encodeLogs(op.logs) });
        return;
      case 'attempt':
        if (this.#purged(op.id)) return;
        writes.push({ op: 'put', key: keys.attempt(op.id, op.node, op.attempt), value: encodeAttempt(op.record) });
        return;
      case 'cached':
        writes.push({ op: 'put', key: keys.cached(op.user, op.key), value: encodeCached(op.from, op.at) });
        return;
      case 'agent':
        writes.push({ op: 'put', key: keys.agent(op.agent), value: encodeAgent(op.epoch, op.instance, op.lostAt) });
        return;
      case 'agent.forget':
        writes.push({ op: 'remove', key: keys.agent(op.agent) });
        return;
      case 'epoch':
        writes.push({ op: 'put', key: keys.hubEpoch, value: encodeNumber(op.epoch) });
        return;
      case 'running':
        this.#live.running(op.id, op.node, op.startedAt);
        return;
      default:
        throw new PolaronError('BAD_MESSAGE', 'unknown record op');
    }
  }
}

/** A user's key may hold anything and be long: its digest is what is stored. */
export const keyPart = (key: string): string => digestOf(Buffer.from(key));
