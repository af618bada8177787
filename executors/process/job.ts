/** One attempt inside the process executor: where it is, what was printed, how it is being stopped. Not here: when things happen (lane.ts, pool.ts). */
import type { Timer } from '../../model/clock.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { ErrorInfo, Outcome, TaskLogs, Usage } from '../../model/outcome.ts';
import { timeoutError, type AttemptTimeout } from '../../model/timeouts.ts';
import type { ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executor.ts';
import { LiveOutput } from '../runner/live-output.ts';
import { LogBuffer } from '../runner/log-buffer.ts';
import type { RunFinished, StopCode } from '../runner/messages.ts';
import type { TypicalDuration } from './durations.ts';

/** Output of shorter attempts isn't published while they run. */
export const LIVE_AFTER_MS = 200;

export type StopReason = 'cancel' | AttemptTimeout;

/** What holds a job: its lane, as far as a job's stop needs it. */
export interface JobHolder {
  /** In order; the first one runs. */
  readonly jobs: readonly Job[];
  cancel(job: Job, code: StopCode, reason: string): void;
  kill(signal: NodeJS.Signals): void;
}

/** What a job's handle asks of its executor. */
export interface JobOwner {
  /** Takes it out of the queue; false when it isn't there any more. */
  unqueue(job: Job): boolean;
  /** Stops it: it was handed over. */
  stop(job: Job, reason: string): void;
  /** The same, without grace. */
  kill(job: Job, reason: string): void;
  /** Of what never ran. */
  noUsage(): Usage;
}

export class Job implements ExecutorHandle {
  readonly task: ExecutorTask;
  readonly events: ExecutorEvents;
  /** Of its electron. */
  readonly typical: TypicalDuration;
  /** Where it waits for a lane. */
  readonly queue: Job[];
  readonly #owner: JobOwner;
  lane: JobHolder | undefined;
  /** Handed over behind another; 0: not. Ms of the machine's clock: it isn't started later. */
  startBy = 0;
  /** Monotonic ms when it became the one that runs; 0 before. */
  since = 0;
  /** The same, wall clock. */
  startedAt = 0;
  /** Signs of life so far: output, and calls of progress. */
  #signs = 0;
  #seenSigns = 0;
  #heardAt = 0;
  /** How long it was thought to take when it was handed over. */
  expectedMs = 0;
  stop: StopReason | undefined;
  escalation: Timer | undefined;
  /** Nobody wants to hear of it any more. */
  forgotten = false;
  over = false;
  /** What is left to do after its end. */
  cleanUp: (() => void) | undefined;
  #logs: LogBuffer | undefined;
  #live: LiveOutput | undefined;
  #published = false;

  constructor(task: ExecutorTask, events: ExecutorEvents, typical: TypicalDuration, queue: Job[], owner: JobOwner) {
    this.task = task;
    this.events = events;
    this.typical = typical;
    this.queue = queue;
    this.#owner = owner;
  }

  /** Names the electron and the captures that it is checked against. */
  get indexKey(): string {
    return `${this.task.code.captureKey}/${this.task.electron.name}`;
  }

  runningSince(): number {
    return this.lane?.jobs[0] === this ? this.startedAt : 0;
  }

  logs(): TaskLogs | undefined {
    return this.#logs?.logs();
  }

  cancel(reason: string): void {
    this.stop ??= 'cancel';
    this.#stop(reason);
  }

  revoke(): boolean {
    return !this.over && this.#owner.unqueue(this) && (this.forgotten = true);
  }

  forget(atOnce = false): void {
    this.forgotten = true;
    this.#stop('it is no longer wanted', atOnce);
  }

  #stop(reason: string, atOnce = false): void {
    if (this.over) return;
    if (this.#owner.unqueue(this)) this.end({ status: 'cancelled' }, this.#owner.noUsage());
    else if (atOnce) this.#owner.kill(this, reason);
    else this.#owner.stop(this, reason);
  }

  output(stream: Stream, text: string): void {
    if (this.over || text === '') return;
    this.#signs++;
    this.#logs ??= new LogBuffer();
    this.#logs.add(stream, text);
    this.#live ??= new LiveOutput();
    this.#live.add(stream, text);
  }

  /** How long it has given no sign of life, as far as looks at it can tell. */
  silentMs(now: number): number {
    if (this.#signs > this.#seenSigns) this.#heardAt = now;
    this.#seenSigns = this.#signs;
    return now - Math.max(this.since, this.#heardAt);
  }

  progress(fraction: number, note: string): void {
    this.#signs++;
    this.events.progress(fraction, note);
  }

  /** Publishes what was printed since the last time. */
  publish(): void {
    this.#published = true;
    for (const { stream, text } of this.#live?.take() ?? []) this.events.log(stream, text);
  }

  /** Ends it; the first call counts. The agent's own reasons go before what the runner says. */
  end(result: RunFinished['result'], usage: Usage): void {
    this.escalation?.cancel();
    if (this.over) return;
    if (this.#published) this.publish();
    this.over = true;
    if (!this.forgotten) this.#tell(result, usage);
    this.cleanUp?.();
  }

  #tell(result: RunFinished['result'], usage: Usage): void {
    const logs = this.#logs?.logs();
    const extra: { readonly logs?: TaskLogs; readonly usage: Usage } = logs === undefined ? { usage } : { logs, usage };
    if (this.stop === 'cancel') return this.events.ended({ status: 'cancelled', ...extra });
    if (this.stop !== undefined)
      return this.events.ended({ status: 'failed', error: this.#timeout(this.stop), ...extra });
    if (result.status !== 'completed') return this.events.ended({ ...result, ...extra });
    const { value, bytes, file } = result;
    const outcome: Outcome =
      bytes === undefined ? { status: 'completed', value, ...extra } : { status: 'completed', value, bytes, ...extra };
    this.events.ended(outcome, file);
  }

  fail(error: ErrorInfo, now: number): void {
    this.end({ status: 'failed', error }, { startedAt: this.startedAt === 0 ? now : this.startedAt, endedAt: now });
  }

  #timeout(kind: AttemptTimeout): ErrorInfo {
    const { electron, timeoutMs } = this.task;
    return timeoutError(kind, electron.name, kind === 'attempt' ? timeoutMs : electron.timeouts.silenceMs);
  }
}
