/** Waiting for something that changes with events, with a deadline. */
import type { Clock } from '../../model/clock.ts';

export class Progress {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something happened: whoever waits looks again. */
  changed(): void {
    for (const look of this.#waiting) look();
  }

  /** Nobody waits any longer. */
  end(): void {
    this.#ended = true;
    this.changed();
  }

  /** Resolves when `done` holds, at the deadline (monotonic ms; who moves it calls `changed`), or at the end. */
  async until(done: () => boolean, deadline: { readonly at: number }): Promise<void> {
    while (!done() && !this.#ended) {
      const left = deadline.at - this.#clock.monotonic();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          timer.cancel();
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = this.#clock.after(left, wake);
        this.#waiting.add(wake);
      });
    }
  }
}
