/**
 * One runner process and the jobs handed to it, in order. Tells its owner what ended, what came back, and that it died.
 * Invariants: L1 `jobs[0]` is the one that runs: the runner saves all earlier answers before it starts a job (R2 of runner.ts), and the outbox
 * is read before anyone is blamed or taken back; L2 a job leaves the lane exactly once: ended, returned, or given back when the process died,
 * and one that was taken back isn't handed over again before its runner has passed over it or answered; L3 only the job that runs is blamed for a death, and none in a thread whose process another may have ended: the hub has that one run again;
 * L4 a job that was told to stop takes its process and what that started with it; but for one that ended before it was told, when the runner has begun the next.
 */
import { IDENTITY_ELECTRON } from '../../model/graph.ts';
import type { Clock } from '../../model/clock.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { ExecutorCode } from '../executor.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { FromRunner, RunFinished, StopCode } from '../runner/messages.ts';
import { causeOfDeath, loadDeath, type Death } from './death.ts';
import type { Job } from './job.ts';
import { mostResidentBytes } from './memory-limit.ts';
import { residentBytesOfTree } from './process-table.ts';
import type { RunnerExit, RunnerListener, RunnerProcess, RunnerStart, StartRunner } from './runner-process.ts';

/** A job handed over ahead may be started for so long. */
export const AHEAD_MS = 100;
const STDERR_CHARS = 8 * 1024;
/** What took no longer, and is one of several, isn't waited for. */
const QUICK_MS = 1;

export interface LaneOwner {
  /** Something changed: look for work. */
  changed(): void;
  /** Jobs that didn't run come back, to be put in front. */
  returned(lane: Lane, jobs: readonly Job[]): void;
  /** True: it waited, and does no more. */
  unqueue(job: Job): boolean;
  loaded(lane: Lane): void;
  /** Its code can't be loaded. */
  loadFailed(lane: Lane, error: ErrorInfo): void;
  /** Somebody killed it while it loaded its code, as the kernel does when memory is short. */
  loadKilled(lane: Lane, error: ErrorInfo): void;
  gone(lane: Lane): void;
  /** The attempt has made its scratch folder, or may have. */
  scratchUsed(job: Job): void;
  /** How long the runner took for it. */
  ended(job: Job, ms: number): void;
}

export interface LaneOptions {
  readonly start: RunnerStart;
  readonly run: StartRunner;
  readonly owner: LaneOwner;
  readonly clock: Clock;
}

export type LaneState = 'blank' | 'loading' | 'ready' | 'indexing' | 'retiring' | 'gone';

export class Lane implements RunnerListener {
  readonly jobs: Job[] = [];
  /** Group that its code belongs to; '' while blank. */
  group = '';
  state: LaneState = 'blank';
  /** Work handed over, as expected. */
  expectedMs = 0;
  /** Monotonic ms of the last end of a job. */
  usedAt = 0;
  readonly #options: LaneOptions;
  readonly #process: RunnerProcess;
  readonly #byTask = new Map<string, Job>();
  /** Taken back, and not yet passed over or answered by the runner. */
  readonly #late = new Map<string, Job>();
  readonly #indexed = new Map<string, ErrorInfo | undefined>();
  #indexing: readonly string[] = [];
  /** Electrons found good in the code that was asked for last. */
  #goodCode = '';
  readonly #goodNames = new Set<string>();
  /** Ended in this turn: what its process printed past the pipe may still come. */
  #settling: Job | undefined;
  #stderr = '';
  #overMemory = false;
  /** What it has saved is being read. */
  #asking = false;
  #killed = false;
  /** Its state when it ended. */
  #left: LaneState = 'blank';

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#process = options.run(options.start, this);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get place(): string {
    return this.#options.start.place;
  }

  get memoryMb(): number | undefined {
    return this.#options.start.memoryMb;
  }

  load(group: string, code: ExecutorCode): void {
    this.group = group;
    this.state = 'loading';
    const { bundleFile, argv, deps } = code;
    const env = deps === undefined ? {} : { env: deps.env };
    this.#process.send(bundleFile === undefined ? { type: 'load', argv } : { type: 'load', bundleFile, argv, ...env });
  }

  /** Was the job's electron checked here: `'no'` starts the check when the lane is idle. */
  checked(job: Job): 'yes' | 'no' | ErrorInfo {
    const { electron, code } = job.task;
    if (code.captureKey === this.#goodCode && this.#goodNames.has(electron.name)) return 'yes';
    if (electron.name === IDENTITY_ELECTRON || this.#indexed.get(job.indexKey) === undefined) {
      if (electron.name === IDENTITY_ELECTRON || this.#indexed.has(job.indexKey)) {
        this.#remember(code.captureKey, electron.name);
        return 'yes';
      }
      if (this.jobs.length > 0 || this.state !== 'ready') return 'no';
      const electrons = [...new Set([...Object.keys(code.captures), electron.name])];
      this.#indexing = electrons.map((name) => `${code.captureKey}/${name}`);
      this.state = 'indexing';
      this.#process.send({ type: 'index', electrons, captures: code.captures });
      return 'no';
    }
    return this.#indexed.get(job.indexKey) ?? 'yes';
  }

  #remember(captureKey: string, electron: string): void {
    if (captureKey !== this.#goodCode) this.#goodNames.clear();
    this.#goodCode = captureKey;
    this.#goodNames.add(electron);
  }

  hand(job: Job, nowMs: number, systemMs: number): void {
    const { task, about, electron, template, inputs, split, token, node } = job.task;
    const ahead = this.jobs.length > 0;
    job.lane = this;
    job.startBy = ahead ? systemMs + AHEAD_MS : 0;
    if (!ahead) this.#runs(job, nowMs);
    this.expectedMs += job.expectedMs;
    this.jobs.push(job);
    this.#byTask.set(task, job);
    const { startBy } = job;
    const { name, env, hooks } = electron;
    const run = { task, electron: name, token, node, about, template, inputs, split, env, hooks, startBy };
    this.#process.send({ type: 'run', ...run });
  }

  /** Asks the runner to stop a job of this lane. */
  cancel(job: Job, code: StopCode, reason: string): void {
    this.#process.send({ type: 'cancel', task: job.task.task, code, reason });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#killed = true;
    this.#process.kill(signal);
  }

  /** Does a job wait that can't be started any more? */
  holdsLate(systemMs: number): boolean {
    return this.jobs.some((job, i) => i > 0 && job.startBy < systemMs);
  }

  /** Takes back jobs that can't be started any more, because the one that runs takes long, and gives them to the owner (L1). */
  takeBack(systemMs: number): void {
    if (this.#asking || !this.holdsLate(systemMs)) return;
    this.#asking = true;
    this.#process.readOutbox(() => {
      this.#asking = false;
      const back = this.jobs.filter((job, i) => i > 0 && job.startBy < systemMs);
      for (const job of back) {
        this.#remove(job);
        this.#late.set(job.task.task, job);
      }
      this.#options.owner.returned(this, back);
    });
  }

  /** Its runner has still to come to a job that was taken back, and to pass over it or to answer: handed over again, that one would be started twice (L2). */
  tookBack(job: Job): boolean {
    return this.#late.has(job.task.task);
  }

  /** Kills the process when it holds more memory than its electrons may, with all that it has started. */
  watchMemory(): void {
    const { memoryMb } = this;
    if (memoryMb === undefined || this.#overMemory) return;
    const resident = this.#process.residentBytes?.() ?? residentBytesOfTree(this.pid);
    if (resident <= mostResidentBytes(memoryMb)) return;
    this.#overMemory = true;
    this.kill();
  }

  message(message: FromRunner): void {
    switch (message.type) {
      case 'finished':
        this.#finished(message);
        return;
      case 'log':
        this.#jobOf(message.task)?.output(message.stream, message.text);
        return;
      case 'progress':
        this.#jobOf(message.task)?.progress(message.fraction, message.note);
        return;
      case 'returned': {
        const back = message.tasks.flatMap((task) => (this.#late.delete(task) ? [] : (this.#byTask.get(task) ?? [])));
        for (const job of back) this.#remove(job);
        this.#options.owner.returned(this, back);
        return;
      }
      case 'loaded':
        this.state = 'ready';
        this.#options.owner.loaded(this);
        return;
      case 'load-failed':
        this.state = 'retiring';
        this.#options.owner.loadFailed(this, message.error);
        this.kill();
        return;
      case 'indexed':
        for (const key of this.#indexing) {
          const name = key.slice(key.indexOf('/') + 1);
          this.#indexed.set(key, message.errors.find(({ electron }) => electron === name)?.error);
        }
        if (this.state === 'indexing') this.state = 'ready';
        return;
      case 'retiring':
        this.state = 'retiring';
        return;
    }
  }

  batch(): void {
    this.#options.owner.changed();
  }

  output(stream: Stream, text: string): void {
    if (stream === 'stderr') this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    (this.#settling ?? this.jobs[0])?.output(stream, text);
  }

  garbled(error: unknown): void {
    this.#stderr += `\nthe process sent what no runner sends: ${error instanceof Error ? error.message : String(error)}`;
    this.kill();
  }

  leaving(): void {
    this.#left = this.state;
    this.state = 'gone';
  }

  exit(exit: RunnerExit): void {
    const state = this.#left;
    if (state !== 'retiring') this.#process.readOutbox(() => undefined);
    const overMemory = this.#overMemory || exit.overMemory === true;
    const death: Death = { ...exit, stderr: this.#stderr, overMemory, memoryMb: this.memoryMb };
    const bystander = exit.thread?.bystander === true;
    const runs = state === 'retiring' ? undefined : this.jobs[0];
    if (runs !== undefined) {
      this.#remove(runs);
      this.#options.owner.scratchUsed(runs);
      const now = this.#options.clock.now();
      if (bystander) runs.end({ status: 'cancelled' }, { startedAt: runs.startedAt, endedAt: now });
      else runs.fail(causeOfDeath(runs.task.electron.name, death), now);
    }
    const back = [...this.jobs];
    for (const job of back) this.#remove(job);
    this.#options.owner.returned(this, back);
    if ((state === 'loading' || state === 'indexing') && !this.#killed && !bystander) {
      const { owner } = this.#options;
      if (exit.signal === 'SIGKILL') owner.loadKilled(this, loadDeath(death));
      else owner.loadFailed(this, loadDeath(death));
    }
    this.#options.owner.gone(this);
  }

  #jobOf(task: string): Job | undefined {
    return this.#byTask.get(task) ?? (this.#settling?.task.task === task ? this.#settling : undefined);
  }

  #finished(message: RunFinished): void {
    const job = this.#byTask.get(message.task);
    if (job === undefined) return this.#answeredLate(message);
    const alone = this.jobs.length === 1;
    if (job.stop !== undefined && this.jobs[0] === job && (message.result.status === 'cancelled' || alone)) {
      // L4: it ends when the process is gone
      this.kill();
      return;
    }
    const { startedAt, endedAt, result } = message;
    this.#remove(job);
    const ms = endedAt - startedAt;
    // one that was cancelled says nothing of how long others take
    if (result.status !== 'cancelled') this.#options.owner.ended(job, ms);
    if (message.scratchUsed) this.#options.owner.scratchUsed(job);
    // Parts of a millisecond count for how long the next ones may take, not in records.
    const usage = { startedAt: Math.round(startedAt), endedAt: Math.round(endedAt) };
    if (ms <= QUICK_MS && (!alone || job.startBy !== 0)) {
      job.end(result, usage);
      return;
    }
    // what it printed past our pipe is in the other pipes already: this turn of the event loop reads them
    this.#settling = job;
    setImmediate(() => {
      if (this.#settling === job) this.#settling = undefined;
      job.end(result, usage);
    });
  }

  /** It ran while its answer was on the way: that one counts, unless somebody else has the job by now. */
  #answeredLate({ task, startedAt, endedAt, scratchUsed, result }: RunFinished): void {
    const job = this.#late.get(task);
    this.#late.delete(task);
    if (job === undefined || !this.#options.owner.unqueue(job)) return;
    if (scratchUsed) this.#options.owner.scratchUsed(job);
    job.end(result, { startedAt: Math.round(startedAt), endedAt: Math.round(endedAt) });
  }

  #remove(job: Job): void {
    const at = this.jobs.indexOf(job);
    if (at === -1) return;
    this.jobs.splice(at, 1);
    this.#byTask.delete(job.task.task);
    this.expectedMs = this.jobs.length === 0 ? 0 : this.expectedMs - job.expectedMs;
    job.lane = undefined;
    const now = this.#options.clock.monotonic();
    this.usedAt = now;
    const next = this.jobs[0];
    if (at === 0 && next !== undefined) this.#runs(next, now);
  }

  #runs(job: Job, nowMs: number): void {
    // what others wrote explains nothing of its death
    this.#stderr = '';
    job.since = nowMs;
    job.startedAt = this.#options.clock.now();
  }
}
