/** The attempts that one agent has, as far as the hub counts them as given to it, and what they take. Pure. Not here: what a sync says of them (agent-state.ts). */
import type { TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { Grip } from './grips.ts';

export interface Held {
  token: Token;
  /** Number of the assign that carried it; 0: from before the hub's restart; infinite: it isn't sent yet. */
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

  get(task: TaskId): Held | undefined {
    return this.#held.get(task);
  }

  [Symbol.iterator](): Iterator<[TaskId, Held]> {
    return this.#held[Symbol.iterator]();
  }

  put(task: TaskId, token: Token, n: number, grip: Grip | undefined, cancel?: string): void {
    const before = this.#held.get(task);
    if (before?.finished === true) this.#finished--;
    before?.grip?.free();
    this.#held.set(task, { token, n, running: false, finished: false, cancel, grip });
    this.#onChange();
  }

  remove(task: TaskId, held: Held): boolean {
    if (held.finished) this.#finished--;
    held.grip?.free();
    this.#onChange();
    return this.#held.delete(task);
  }

  finish(held: Held): void {
    if (held.finished) return;
    held.grip?.free();
    held.finished = true;
    this.#finished++;
    this.#onChange();
  }
}
