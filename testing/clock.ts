/** The clock of a test hub, as the test and its electrons hold it. Not here: timers and their order (timeline.ts). */
import { PolaronError } from '../model/errors.ts';
import { milliseconds } from '../sdk/durations.ts';
import type { Duration } from '../sdk/types.ts';
import type { TestClock } from './test-hub.ts';
import type { Timeline } from './timeline.ts';
import { atWork } from './work.ts';

/** Steps of one call: what goes on longer never ends. */
const MOST_STEPS = 1_000_000;

export class ManualClock implements TestClock {
  readonly #timeline: Timeline;
  /** Movers take turns. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  now(): Date {
    return new Date(this.#timeline.now());
  }

  advance(duration: Duration): Promise<void> {
    const ms = milliseconds(duration, 'clock.advance()');
    return this.#alone('advance', () => this.#timeline.goTo(this.#timeline.monotonic() + ms));
  }

  async runUntilIdle(): Promise<void> {
    await this.runUntil('runUntilIdle', () => false);
  }

  /** Goes on until `over`, and says whether that came; false: nothing more is due before `until`, ms from the beginning, where time then stands. */
  runUntil(what: string, over: () => boolean, until?: number): Promise<boolean> {
    return this.#alone(what, async () => {
      await this.#timeline.rest();
      for (let steps = 0; steps < MOST_STEPS; steps++) {
        if (over()) return true;
        if (await this.#timeline.step(until)) continue;
        if (until !== undefined) await this.#timeline.goTo(until);
        return over();
      }
      throw new PolaronError(
        'STUCK',
        `${what}: after ${MOST_STEPS} timers the next one is due at ${this.now().toISOString()}, and so on`,
      );
    });
  }

  /** Of the real clock, ms from the beginning: where `duration` from now is. */
  in(duration: Duration, what: string): number {
    return this.#timeline.monotonic() + milliseconds(duration, what);
  }

  sleep(duration: Duration, o: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const ms = duration === Number.POSITIVE_INFINITY ? duration : milliseconds(duration, 'clock.sleep()');
    const work = atWork.getStore();
    const signal = o.signal ?? work?.signal();
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(reasonOf(signal));
      work?.sleeps();
      const wake = (end: () => void): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', aborted);
        work?.wakes();
        end();
      };
      const aborted = (): void => wake(() => reject(reasonOf(signal)));
      const timer = ms === Number.POSITIVE_INFINITY ? undefined : this.#timeline.after(ms, () => wake(resolve));
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Raises USAGE inside an electron: the mover that waits for that one would wait for ever. */
  #alone<T>(what: string, move: () => Promise<T>): Promise<T> {
    if (atWork.getStore() !== undefined) {
      throw new PolaronError('USAGE', `${what}() was called inside an electron, which time waits for`, {
        help: 'Let the electron take time by `await hub.clock.sleep(...)`, and move the clock in the test.',
      });
    }
    const moved = this.#last.then(move);
    this.#last = moved.catch(() => undefined);
    return moved;
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('the sleep was aborted', 'AbortError');
}
