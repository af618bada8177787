/** Time that moves only when a test moves it: wall clock and monotonic clock apart, timers in order of their due time. */
import type { Clock, Timer } from '../../../model/clock.ts';

interface Due {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  wall = 1_700_000_000_000;
  mono = 1_000;
  readonly #timers = new Set<Due>();

  now(): number {
    return this.wall;
  }
  monotonic(): number {
    return this.mono;
  }
  after(delayMs: number, callback: () => void): Timer {
    const due = { at: this.mono + delayMs, callback };
    this.#timers.add(due);
    return { cancel: () => this.#timers.delete(due) };
  }
  get waiting(): number {
    return this.#timers.size;
  }

  /** Moves both clocks on, once what is under way has come to rest; what falls due is called in order, and what follows from each settles. */
  async advance(ms: number): Promise<void> {
    await settle();
    const end = this.mono + ms;
    for (;;) {
      let next: Due | undefined;
      for (const due of this.#timers) if (due.at <= end && (next === undefined || due.at < next.at)) next = due;
      if (next === undefined) break;
      this.#timers.delete(next);
      this.wall += Math.max(0, next.at - this.mono);
      this.mono = Math.max(this.mono, next.at);
      next.callback();
      await settle();
    }
    this.wall += end - this.mono;
    this.mono = end;
    await settle();
  }
}

/** Lets everything that is under way in this process come to rest: some turns of the event loop. */
export async function settle(turns = 6): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
