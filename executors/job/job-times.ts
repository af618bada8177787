/** When a job began, and when it last gave a sign of life. Not here: what is done when that is too long ago (job-run.ts). */
import type { Clock } from '../../model/clock.ts';
import type { Usage } from '../../model/outcome.ts';
import type { JobStop } from './job-end.ts';

/** Its times are those of the electron: they begin when its runner has loaded, or after so long without a word of it. */
const LOADING_MS = 60_000;

export class JobTimes {
  readonly #clock: Clock;
  /** Wall clock. */
  #startedAt = 0;
  /** Monotonic ms of its beginning, and of its last sign of life. */
  #since = 0;
  #heardAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0: it hasn't begun. */
  get startedAt(): number {
    return this.#startedAt;
  }

  begins(): void {
    if (this.#startedAt > 0) return;
    this.#startedAt = this.#clock.now();
    this.#since = this.#clock.monotonic() + LOADING_MS;
  }

  /** Its runner has loaded, and says something. */
  signOfLife(): void {
    this.begins();
    this.wrote();
    this.#since = Math.min(this.#since, this.#heardAt);
  }

  /** Something came, from whoever runs there. */
  wrote(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  /** Undefined: it may go on. */
  overdue(limits: {
    readonly timeoutMs: number;
    readonly silenceMs: number;
  }): { readonly stop: JobStop; readonly reason: string } | undefined {
    const now = this.#clock.monotonic();
    const { timeoutMs, silenceMs } = limits;
    if (timeoutMs > 0 && now - this.#since >= timeoutMs)
      return { stop: 'attempt', reason: `it took longer than ${timeoutMs} ms` };
    if (silenceMs > 0 && now - Math.max(this.#since, this.#heardAt) >= silenceMs)
      return { stop: 'silence', reason: `it gave no sign of life for ${silenceMs} ms` };
    return undefined;
  }

  /** Of one that has ended now. */
  usage(): Usage {
    const now = this.#clock.now();
    return { startedAt: this.#startedAt === 0 ? now : this.#startedAt, endedAt: now };
  }
}
