/** The attempts that one agent has, as far as the hub counts them as given to it, and what they take. Pure. Not here: what a sync says of them (agent-state.ts). */
import type { TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { Grip } from './grips.ts';

/** Stands for the number of an assign that there isn't yet. */
export const UNSENT = Number.POSITIVE_INFINITY;
export const isUnsent = ({ n }: Pick<Held, 'n'>): boolean => n === UNSENT;

export interface Held {
  token: Token;
  /** Number of the assign that carried it; 0: from before the hub's restart; UNSENT: it isn't sent yet. */
  n: number;
  running: boolean;
  /** Its outcome came: it takes no slot any more, though it isn't judged yet. */
  finished: boolean;
  cancel: string | undefined;
  /** The keys and amounts that it holds, until it has finished. */
  grip: Grip | undefined;
}

export class Attempts {
  readonly #held = new Map<TaskId, Held>();
  readonly #onChange: () => void;
  #finished = 0;
  #unsent = 0;

  /** `onChange`: there are more or fewer that take a slot. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Those that take a slot, or a place in the queue. */
  get open(): number {
    return this.#held.size - this.#finished;
  }

  /** Matches of which nothing was sent yet. Undefined: there are none. */
  unsent(): readonly TaskId[] | undefined {
    return this.#unsent === 0 ? undefined : [...this.#held].flatMap(([task, held]) => (isUnsent(held) ? [task] : []));
  }

  get(task: TaskId): Held | undefined {
    return this.#held.get(task);
  }

  [Symbol.iterator](): Iterator<[TaskId, Held]> {
    return this.#held[Symbol.iterator]();
  }

  put(task: TaskId, token: Token, n: number, grip: Grip | undefined, cancel?: string): void {
    const before = this.#held.get(task);
    if (before !== undefined) this.#forget(before);
    if (n === UNSENT) this.#unsent++;
    this.#held.set(task, { token, n, running: false, finished: false, cancel, grip });
    this.#onChange();
  }

  remove(task: TaskId, held: Held): boolean {
    this.#forget(held);
    this.#onChange();
    return this.#held.delete(task);
  }

  /** It goes out with assign `n`. */
  sent(held: Held, token: Token, n: number): void {
    if (isUnsent(held)) this.#unsent--;
    held.token = token;
    held.n = n;
  }

  #forget(held: Held): void {
    if (held.finished) this.#finished--;
    if (isUnsent(held)) this.#unsent--;
    held.grip?.free();
  }

  finish(held: Held): void {
    if (held.finished) return;
    held.grip?.free();
    held.finished = true;
    this.#finished++;
    this.#onChange();
  }
}
