/**
 * One job, from its electron's attempt to its end.
 *
 * J1. `run` is called for an intent that is on disk, once; again only when nobody has known the job's name twice, with time between: the agent may have died in the middle of handing it away.
 * J2. The outcome that the electron left decides; what the job system says counts only where there is none, and is waited for once more, since a shared disk may show it late.
 *     One that was told to stop, but not by this agent, has none: the job system knows why.
 * J3. A job that was told to stop has ended when `run` or `poll` say so, not before; it is asked again until then.
 * J4. What it has written is read a piece in each turn, since it may be much; unless it was stopped it is over when all is read.
 * Not here: which jobs there are, and when they are looked at (job-executor.ts).
 */
import type { Stream } from '../../model/log-entry.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { ErrorInfo, TaskLogs, Usage } from '../../model/outcome.ts';
import { isDiskFull } from '../disk-full.ts';
import type { ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executor.ts';
import { loadErrorOf } from '../process/death.ts';
import type { FromRunner, RunFinished } from '../runner/messages.ts';
import type { Job, JobState, SubmittedJob } from './definition.ts';
import { handedJob, Spawned } from './handed-job.ts';
import { errorOfEnd, exitOf, outcomeOf, refusalOf, wrongState, type Ended, type JobStop } from './job-end.ts';
import { hadNoRoom, removeJob, writeHandle, writeJob, type Intent } from './job-folder.ts';
import type { JobHome } from './job-home.ts';
import { checkedOptions } from './options.ts';
import { JobOutput } from './job-output.ts';
import { JobTimes } from './job-times.ts';
import { JobTraces } from './job-traces.ts';

/** Nobody knew its name: so long between the first and the last time, at least. */
const UNKNOWN_MS = 5_000;
/** How long one that doesn't heed its signal is waited for, beyond the grace time. */
const STUBBORN_MS = 5_000;

export class JobRun<O, S> implements ExecutorHandle {
  readonly intent: Intent;
  readonly dir: string;
  readonly #home: JobHome<O, S>;
  readonly #events: ExecutorEvents;
  readonly #traces: JobTraces;
  readonly #abort = new AbortController();
  readonly #output = new JobOutput();
  /** `away`: somebody has it, or may have. */
  #phase: 'waiting' | 'running' | 'away' | 'over' = 'waiting';
  #options: { readonly value: O } | undefined;
  #handle: string | undefined;
  readonly #times: JobTimes;
  #stop: JobStop | undefined;
  #forgotten = false;
  #finished: RunFinished | undefined;
  #finishedAt = 0;
  #failed: ErrorInfo | undefined;
  #ended: Ended | undefined;
  #unknownAt = 0;
  #unknown = 0;
  #endedBefore = false;
  #cancelling = false;
  readonly #spawned = new Spawned();
  #queuedFor: string | undefined;

  constructor(home: JobHome<O, S>, intent: Intent, dir: string, events: ExecutorEvents) {
    this.#home = home;
    this.intent = intent;
    this.dir = dir;
    this.#events = events;
    this.#times = new JobTimes(home.ground.clock);
    this.#traces = new JobTraces(dir, {
      heard: (message) => this.#heard(message),
      wrote: (stream, text, skipped) => this.#wrote(stream, text, skipped),
      damaged: (why) => this.#isDamaged(why),
      more: () => this.#readOn(),
    });
  }

  /** Writes its folder, then hands it away; resolves in between. */
  async begin(work: ExecutorTask): Promise<void> {
    if (!(await this.#checked()) || this.#isOver()) return;
    try {
      writeJob(this.dir, this.intent, work, this.#home.settings);
    } catch (error) {
      const { code, message } = asPolaronError(error, isDiskFull(error) ? 'DISK_FULL' : 'EXECUTOR_FAILED');
      return this.#fail({ code, message: `its job's folder can't be written: ${message}` });
    }
    void this.#run();
  }

  /** Goes on with one of an earlier life. */
  async goOn(handle: string | undefined): Promise<void> {
    this.#handle = handle;
    this.#phase = 'away';
    if (this.#read()) return;
    if (!(await this.#checked())) return this.#warn('may still run: its options are not understood any more');
    if (this.#home.polls) return this.#home.pollSoon();
    this.#conclude({ state: 'ended', reason: 'the agent ended while it ran' });
  }

  readonly runningSince = (): number => this.#times.startedAt;

  readonly logs = (): TaskLogs | undefined => this.#output.logs();

  cancel(reason: string): void {
    this.#end('cancel', 'CANCELLED', reason);
  }

  revoke(): boolean {
    return false;
  }

  forget(): void {
    this.#forgotten = true;
    this.#end('cancel', 'CANCELLED', 'it is no longer wanted');
  }

  leave(): boolean {
    if (!this.#home.polls || (this.#phase !== 'running' && this.#phase !== 'away')) return false;
    this.#phase = 'over';
    this.#home.over(this.dir);
    return true;
  }

  /** As its executor is asked about it; undefined when there is nothing to ask. */
  get submitted(): SubmittedJob<O> | undefined {
    if (this.#phase !== 'away' || this.#options === undefined) return undefined;
    const { name, at } = this.intent;
    return { name, options: this.#options.value, folder: this.dir, handle: this.#handle, submittedAt: at };
  }

  /** What `poll` says of it. */
  told(state: JobState): void {
    if (this.#phase !== 'away' || this.#read()) return;
    const wrong = wrongState(state);
    if (wrong !== undefined) {
      const why = `poll of executor "${this.#home.definition.name}" gave ${wrong}`;
      if (state?.state === 'ended') this.#conclude({ state: 'ended', reason: why });
      return this.#warn(`is not known: ${why}`);
    }
    if (state.state !== 'unknown') this.#unknown = 0;
    switch (state.state) {
      case 'queued':
        this.#queues(state.reason);
        break;
      case 'running':
        this.#times.begins();
        break;
      case 'ended':
        return this.#conclude(state);
      case 'unknown':
        return this.#isUnknown();
    }
    if (this.#stop !== undefined) void this.#cancelAway();
  }

  /** Looks at what it has written, and at its times. */
  look(): void {
    if (this.#phase === 'waiting' || this.#phase === 'over') return;
    if (this.#times.startedAt === 0 && this.#phase !== 'away') return;
    if (this.#read() || this.#times.startedAt === 0) return;
    const now = this.#home.ground.clock.monotonic();
    if (this.#finished !== undefined && !this.#stoppedOutside() && now - this.#finishedAt > STUBBORN_MS)
      return this.#conclude({ state: 'ended' });
    const overdue = this.#times.overdue(this.intent);
    if (overdue !== undefined) this.#end(overdue.stop, 'TIMEOUT', overdue.reason);
  }

  /** Stops without a word: the agent ends. What it has spawned is killed, and waited for. */
  async drop(): Promise<void> {
    this.#phase = 'over';
    this.#abort.abort();
    await this.#spawned.kill();
  }

  /** False: they are wrong, and it has failed. */
  async #checked(): Promise<boolean> {
    const { name, options } = this.#home.definition;
    const checked = await checkedOptions(name, options, this.intent.options);
    if ('error' in checked) this.#fail(checked.error);
    else this.#options = checked;
    return !('error' in checked);
  }

  /** J1. */
  async #run(): Promise<void> {
    if (this.#options === undefined || this.#phase === 'over') return;
    const { definition, polls, ground } = this.#home;
    this.#phase = 'running';
    if (!polls) this.#times.begins();
    let handle: unknown;
    try {
      handle = await definition.run(this.#job(this.#options.value), this.#home.shared);
    } catch (error) {
      return this.#refused(error);
    }
    if (this.#isOver()) return;
    if (!polls) return this.#conclude({ state: 'ended', ...exitOf(this.#spawned.exit) });
    this.#phase = 'away';
    this.#handle = typeof handle === 'string' ? handle : this.intent.name;
    if (handle !== undefined && typeof handle !== 'string')
      this.#warn(`has a handle that is no text: ${JSON.stringify(handle)}`);
    try {
      writeHandle(this.dir, this.#handle);
    } catch (error) {
      ground.log('warn', `agent: the handle of job ${this.intent.name} can't be written`, { error: String(error) });
    }
    if (this.#stop !== undefined) void this.#cancelAway();
    this.#home.pollSoon();
  }

  #warn(what: string): void {
    this.#home.agent.log('warn', `job ${this.intent.name} ${what}`);
  }

  readonly #isOver = (): boolean => this.#phase === 'over';

  #job(options: O): Job<O> {
    const { signal } = this.#abort;
    const output = (stream: Stream, text: string, skipped?: number): void => this.#wrote(stream, text, skipped);
    const started = (): void => this.#times.signOfLife();
    const handed = { intent: this.intent, folder: this.dir, options, signal, output, started };
    return handedJob(this.#home, handed, this.#spawned);
  }

  #refused(error: unknown): void {
    if (this.#isOver()) return;
    if (this.#read() || this.#stop !== undefined) return this.#conclude({ state: 'ended' });
    // it may have got through all the same
    if (this.#home.polls) this.#phase = 'away';
    void this.#cancelAway();
    this.#fail(refusalOf(error));
  }

  #queues(reason: string | undefined): void {
    if (reason === undefined || reason === '' || reason === this.#queuedFor || this.#forgotten) return;
    this.#queuedFor = reason;
    this.#events.progress(0, `queued: ${reason}`);
  }

  /** J2. */
  #stoppedOutside(): boolean {
    return this.#home.polls && this.#stop === undefined && this.#finished?.result.status === 'cancelled';
  }

  #isUnknown(): void {
    const now = this.#home.ground.clock.monotonic();
    if (this.#unknown++ === 0) this.#unknownAt = now;
    if (this.#stop === undefined && (this.#unknown < 2 || now - this.#unknownAt < UNKNOWN_MS)) return;
    if (this.#handle === undefined && this.#stop === undefined) {
      // it never got through (J1)
      this.#unknown = 0;
      void this.#run();
    } else this.#conclude({ state: 'ended', reason: `nobody knows job ${this.#handle ?? this.intent.name} any more` });
  }

  /** Reads on, in this turn and the next ones; true when that ended it. */
  #read(): boolean {
    this.#traces.read();
    if ((this.#finished === undefined || this.#stoppedOutside()) && this.#failed === undefined) return false;
    // its process ends by itself, and `run` with it
    if (this.#phase === 'running') return false;
    this.#conclude({ state: 'ended' });
    return true;
  }

  /** J4. */
  #readOn(): void {
    if (this.#phase === 'over' || this.#read() || this.#traces.behind) return;
    const ended = this.#ended;
    this.#ended = undefined;
    if (ended !== undefined) this.#conclude(ended);
  }

  #isDamaged(why: string): void {
    this.#failed ??= { code: 'JOB_FAILED', message: `its job's outcome is damaged: ${why}` };
    void this.#cancelAway();
  }

  #heard(message: FromRunner): void {
    this.#times.signOfLife();
    switch (message.type) {
      case 'log':
        this.#wrote(message.stream, message.text, message.skipped);
        return;
      case 'progress':
        this.#events.progress(message.fraction, message.note);
        return;
      case 'finished':
        this.#finished ??= message;
        this.#finishedAt = this.#home.ground.clock.monotonic();
        return;
      case 'load-failed':
        this.#failed ??= loadErrorOf(this.intent.electron, message.error);
        return;
      case 'indexed':
        this.#failed ??= message.errors[0]?.error;
        return;
      case 'loaded':
      case 'returned':
      case 'retiring':
    }
  }

  #wrote(stream: Stream, text: string, skipped = 0): void {
    if (this.#phase === 'over' || (text === '' && skipped === 0)) return;
    this.#times.wrote();
    this.#output.add(stream, text, skipped);
  }

  /** Tells those who watch what it has written. */
  tell(): void {
    if (this.#forgotten) return;
    for (const { stream, text } of this.#output.take()) this.#events.log(stream, text);
  }

  /** The first reason counts. */
  #end(why: JobStop, code: string, reason: string): void {
    if (this.#phase === 'over') return;
    const first = this.#stop === undefined;
    this.#stop ??= why;
    if (this.#phase === 'waiting') return this.#over({ status: 'cancelled' }, this.#times.usage());
    if (!first) return;
    this.#abort.abort(Object.assign(new Error(reason), { name: 'AbortError', code }));
    if (this.#phase === 'away') return void this.#cancelAway();
    const { clock, graceMs } = this.#home.ground;
    clock.after(graceMs + STUBBORN_MS, () => {
      if (!this.#home.polls) return this.#conclude({ state: 'ended' });
      // it was asked to take the job, and has said nothing: its name is known
      if (this.#phase !== 'running') return;
      this.#phase = 'away';
      void this.#cancelAway();
    });
  }

  /** J3. */
  async #cancelAway(): Promise<void> {
    const { submitted } = this;
    const { definition, shared, ground } = this.#home;
    if (submitted === undefined || this.#cancelling) return;
    this.#cancelling = true;
    try {
      await definition.cancel?.(submitted, shared);
    } catch (error) {
      ground.log('warn', `agent: job ${this.intent.name} can't be cancelled yet: ${String(error)}`, {});
    }
    this.#cancelling = false;
    this.#home.pollSoon();
  }

  /** J2. */
  #conclude(ended: Ended): void {
    if (this.#phase === 'over') return;
    const open = this.#finished === undefined && this.#failed === undefined;
    if (open && this.#traces.behind && this.#stop === undefined) return void (this.#ended ??= ended);
    if (open && !this.#traces.behind) this.#traces.readToEnd();
    const { result, startedAt, endedAt } = this.#finished ?? {};
    if (!this.#stoppedOutside() && result !== undefined && startedAt !== undefined && endedAt !== undefined)
      return this.#over(result, { startedAt: Math.round(startedAt), endedAt: Math.round(endedAt) });
    if (this.#failed !== undefined) return this.#over({ status: 'failed', error: this.#failed }, this.#times.usage());
    if (this.#phase === 'away' && this.#stop === undefined && !this.#endedBefore) {
      this.#endedBefore = true;
      return;
    }
    const noRoom = hadNoRoom(this.dir) ? this.dir : undefined;
    this.#over(
      { status: 'failed', error: errorOfEnd(this.intent, ended, this.#output.stderr, noRoom) },
      this.#times.usage(),
    );
  }

  #fail({ code, message }: ErrorInfo): void {
    const { name } = this.#home.definition;
    const error = { code, message: `electron "${this.intent.electron}" (executor ${name}): ${message}` };
    this.#over({ status: 'failed', error }, this.#times.usage());
  }

  #over(result: RunFinished['result'], usage: Usage): void {
    if (this.#phase === 'over') return;
    // what it had started may have written until now
    this.#traces.readOutput();
    this.#phase = 'over';
    this.#home.over(this.dir);
    const { outcome, file } = outcomeOf(this.intent, this.#stop, result, this.#output.logs(), usage);
    this.tell();
    if (!this.#forgotten) this.#events.ended(outcome, file);
    // its outcome is spooled at the end of this turn
    setImmediate(() => removeJob(this.dir, (why) => this.#warn(`leaves its folder: ${why}`)));
  }
}
