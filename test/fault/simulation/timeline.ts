/**
 * Simulated time: all that is due, in order of time and then of asking. A step calls what is next and lets everything that follows come to rest, so nothing
 * else ever moves time. Not here: whose clock it is (machine.ts).
 */
import type { Timer } from '../../../model/clock.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

const before = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Timeline {
  /** Ms since the beginning. */
  now = 0;
  /** What was thrown where nobody could catch it. */
  readonly errors: unknown[] = [];
  readonly #heap: Due[] = [];
  readonly #real = globalThis.setImmediate;
  #order = 0;
  #turns = 0;
  readonly #rejected = (error: unknown): void => void this.errors.push(error);

  /** From here to `release` the turns of the event loop are this timeline's: it knows when nothing is left to do. */
  own(): void {
    process.on('unhandledRejection', this.#rejected);
    const setImmediate = (callback: (...args: unknown[]) => void, ...args: unknown[]): void => {
      this.#turns++;
      this.#real(() => {
        this.#turns--;
        this.#call(() => callback(...args));
      });
    };
    Object.assign(globalThis, { setImmediate });
  }

  release(): void {
    process.off('unhandledRejection', this.#rejected);
    Object.assign(globalThis, { setImmediate: this.#real });
  }

  after(delayMs: number, callback: () => void): Timer {
    const due: Due = { at: this.now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#push(due);
    return { cancel: () => void (due.callback = undefined) };
  }

  /** False when nothing is due any more, or only after `until`. */
  async step(until: number): Promise<boolean> {
    for (;;) {
      const due = this.#heap[0];
      if (due === undefined || due.at > until) return false;
      this.#pop();
      const { callback } = due;
      if (callback === undefined) continue;
      this.now = due.at;
      this.#call(callback);
      await this.settle();
      return true;
    }
  }

  /** A real turn of the event loop begins when no microtask is left. */
  async settle(): Promise<void> {
    do await new Promise((resolve) => this.#real(resolve));
    while (this.#turns > 0);
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.errors.push(error);
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || before(parent, due)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const small = right !== undefined && before(right, left) ? right : left;
      if (before(last, small)) break;
      heap[at] = small;
      at = 2 * at + (small === left ? 1 : 2);
    }
    heap[at] = last;
  }
}
