/** User code at work on the hub's clock: it keeps time from moving, unless it sleeps on the clock itself. Not here: calling it (local-run.ts). */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Timeline } from './timeline.ts';

/** The attempt whose code is running now. */
export const atWork = new AsyncLocalStorage<Work>();

export class Work {
  /** Aborts when the attempt is stopped. */
  readonly signal: () => AbortSignal;
  readonly #timeline: Timeline;
  #release: (() => void) | undefined;
  #sleeps = 0;
  #over = false;

  constructor(timeline: Timeline, signal: () => AbortSignal) {
    this.#timeline = timeline;
    this.signal = signal;
    this.#release = timeline.hold();
  }

  /** It sleeps on the clock; of several sleeps at once the last one to end counts. */
  sleeps(): void {
    this.#sleeps++;
    this.#release?.();
    this.#release = undefined;
  }

  wakes(): void {
    if (--this.#sleeps === 0 && !this.#over) this.#release = this.#timeline.hold();
  }

  over(): void {
    this.#over = true;
    this.#release?.();
    this.#release = undefined;
  }
}
