/**
 * Looks at the disk while a plan with lattices inside runs, for the promise `inner`: when an end is told, those inside have ended, and that is on the disk; and
 * nothing inside is given out when the node around it is being cancelled. Not here: what the disk holds in the end (inner-check.ts).
 */
import { parseTaskId } from '../../../model/ids.ts';
import { isTerminalDispatch } from '../../../model/lifecycle.ts';
import type { WriteOp } from '../../../store/store.ts';
import { decodeDispatch, decodeElectron, decodeSpec, keys } from '../../../store/records.ts';
import type { Logged } from './history.ts';
import { isEnd, outerOf } from './inner-check.ts';
import type { Broken } from './promise.ts';
import type { StoreDisk } from './store-disk.ts';

/** From a node's record to the last that is given out of what is inside: in the hub no time passes, but its parts may be in two processes. */
const INWARD_MS = 100;
const ELECTRONS = keys.allElectrons.start;

export class InnerWatch {
  readonly broken: Broken[] = [];
  readonly #disk: StoreDisk;
  readonly #now: () => number;
  /** By the record of a node. */
  readonly #cancelledAt = new Map<string, number>();

  constructor(disk: StoreDisk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
    disk.listen((ops) => this.#written(ops));
  }

  readonly hear = (entry: Logged): void => {
    if (entry.type === 'told' && isEnd(entry.event)) this.#ended(entry.dispatch, entry.event);
    else if (entry.type === 'life' && entry.what === 'recovered') this.#begunAgain();
    else if (entry.type === 'assign' && this.#cancelledAt.size > 0)
      for (const { task } of entry.tasks) this.#given(task);
  };

  #written(ops: readonly WriteOp[]): void {
    for (const op of ops) {
      if (op.op !== 'put' || !op.key.startsWith(ELECTRONS) || this.#cancelledAt.has(op.key)) continue;
      if (decodeElectron(op.value).status === 'cancelling') this.#cancelledAt.set(op.key, this.#now());
    }
  }

  /** A crash may have undone some; what is left counts from now. */
  #begunAgain(): void {
    for (const key of this.#cancelledAt.keys())
      if (this.#isCancelling(key)) this.#cancelledAt.set(key, this.#now());
      else this.#cancelledAt.delete(key);
  }

  #isCancelling(key: string): boolean {
    const record = this.#disk.content.get(key);
    return record !== undefined && decodeElectron(record).status === 'cancelling';
  }

  #ended(outer: string, event: string): void {
    for (const { value } of this.#disk.content.range(keys.allSpecs)) {
      const spec = decodeSpec(value);
      if (spec.outer?.dispatch !== outer) continue;
      const bytes = this.#disk.flushed(keys.dispatch(spec.id));
      const status = bytes === undefined ? undefined : decodeDispatch(bytes).status;
      if (status === undefined || !isTerminalDispatch(status))
        this.#say(`${event} of ${outer} was told, and ${spec.id} inside is ${status}`);
    }
  }

  /** What was given out earlier may be sent again. */
  #given(task: string): void {
    const { dispatch, node } = parseTaskId(task);
    const { content } = this.#disk;
    const own = content.get(keys.electron(dispatch, node));
    if (own !== undefined && decodeElectron(own).token !== undefined) return;
    for (let at = outerOf(content, dispatch); at !== undefined; at = outerOf(content, at.dispatch)) {
      const key = keys.electron(at.dispatch, at.node);
      const since = this.#cancelledAt.get(key);
      if (since !== undefined && this.#isCancelling(key) && this.#now() - since > INWARD_MS)
        this.#say(`${task} was given out ${Math.round(this.#now() - since)} ms after ${key} was to be cancelled`);
    }
  }

  #say(what: string): void {
    this.broken.push({ promise: 'inner', what });
  }
}
