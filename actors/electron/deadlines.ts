/**
 * The times of an electron that the hub judges (docs/adr/009): how long it may be ready without running, and how long all of it may take. Holds the
 * due times over restarts, and says when one has passed. Not here: what follows then (electron.ts), what an agent judges (executors/process).
 */
import type { Clock, Timer } from '../../model/clock.ts';
import type { Timeouts } from '../../model/graph.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { timeoutError, type ElectronTimeout } from '../../model/timeouts.ts';
import type { ElectronRecord } from '../../model/records.ts';

/** An agent that didn't give a queued electron back is asked again after this. */
const REVOKE_AGAIN_MS = 1_000;
/** A timer may be early by a part of a millisecond. */
const EARLY_MS = 1;

type Due = Pick<ElectronRecord, 'queueDue' | 'totalDue'>;

/** Wall clock for the record, monotonic for the decision. A due time from before a restart counts at most its full length from now. */
class Countdown {
  readonly due: number;
  readonly #clock: Clock;
  readonly #passed: () => void;
  readonly #over: number;
  #timer: Timer;

  constructor(clock: Clock, length: number, due: number | undefined, passed: () => void) {
    this.#clock = clock;
    this.#passed = passed;
    const left = due === undefined ? length : Math.max(0, Math.min(due - clock.now(), length));
    this.due = due ?? clock.now() + length;
    this.#over = clock.monotonic() + left;
    this.#timer = clock.after(left, passed);
  }

  get isOver(): boolean {
    return this.#clock.monotonic() + EARLY_MS >= this.#over;
  }

  again(delayMs: number): void {
    this.#timer.cancel();
    this.#timer = this.#clock.after(delayMs, this.#passed);
  }

  end(): void {
    this.#timer.cancel();
  }
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  readonly #passed: (kind: ElectronTimeout) => void;
  readonly #total: Countdown | undefined;
  #queue: Countdown | undefined;

  /** `recorded`: what a restarted hub knows. `waits`: it is ready or assigned, and nobody said that it runs. */
  constructor(
    clock: Clock,
    timeouts: Timeouts,
    passed: (kind: ElectronTimeout) => void,
    recorded: Due | undefined,
    waits: boolean,
  ) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#passed = passed;
    if (timeouts.totalMs > 0)
      this.#total = new Countdown(clock, timeouts.totalMs, recorded?.totalDue, () => passed('total'));
    // Without a due time in its record it was told to run.
    if (waits && (recorded === undefined || recorded.queueDue !== undefined)) this.#wait(recorded?.queueDue);
  }

  /** It is ready (again). */
  waits(): void {
    this.runs();
    this.#wait(undefined);
  }

  /** It runs, or has run. True: it was waited for. */
  runs(): boolean {
    const waited = this.#queue !== undefined;
    this.#queue?.end();
    this.#queue = undefined;
    return waited;
  }

  /** Its agent is being asked to give it back: looks again. */
  again(): void {
    this.#queue?.again(REVOKE_AGAIN_MS);
  }

  /** Which time is over. */
  get over(): ElectronTimeout | undefined {
    if (this.#total?.isOver === true) return 'total';
    return this.#queue?.isOver === true ? 'queue' : undefined;
  }

  error(kind: ElectronTimeout, electron: string): ErrorInfo {
    const { queueMs, totalMs } = this.#timeouts;
    return timeoutError(kind, electron, kind === 'queue' ? queueMs : totalMs);
  }

  into(record: { -readonly [K in keyof Due]: Due[K] }): void {
    if (this.#queue !== undefined) record.queueDue = this.#queue.due;
    if (this.#total !== undefined) record.totalDue = this.#total.due;
  }

  end(): void {
    this.runs();
    this.#total?.end();
  }

  #wait(due: number | undefined): void {
    const { queueMs } = this.#timeouts;
    if (queueMs > 0) this.#queue = new Countdown(this.#clock, queueMs, due, () => this.#passed('queue'));
  }
}
