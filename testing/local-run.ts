/**
 * One attempt that runs as a function of this process: calls it as a runner would, and stops it by its signal, its grace time and then by not listening any more.
 * Not here: which one runs when (local-executor.ts).
 */
import type { ExecutorTask } from '../executors/executor.ts';
import type { Job, JobHolder } from '../executors/process/job.ts';
import type { Stopper } from '../executors/process/stopper.ts';
import { callElectron } from '../executors/runner/call.ts';
import type { RunFinished, StopCode } from '../executors/runner/messages.ts';
import { TaskRun, type RunHome } from '../executors/runner/task-run.ts';
import type { Clock, Timer } from '../model/clock.ts';
import { defaults } from '../model/defaults.ts';
import { withTask } from '../sdk/context.ts';
import { milliseconds } from '../sdk/durations.ts';
import { Crash, crashError } from './crash.ts';
import type { LocalCode } from './code.ts';
import type { Mocks } from './mocks.ts';
import type { TestAgentOptions, TestTask } from './test-hub.ts';
import type { Timeline } from './timeline.ts';
import { atWork, Work } from './work.ts';

type Result = RunFinished['result'];

export interface LocalExecutorOptions {
  /** The capability that it stands for. */
  readonly name: string;
  readonly agent: string;
  readonly slots: number;
  /** Of the agent's process. */
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly sleep: (ms: number) => Promise<void>;
  readonly scratchDir: string;
  readonly code: LocalCode;
  readonly mocks: Mocks;
  readonly play: TestAgentOptions;
}

export class LocalRun implements JobHolder, RunHome {
  readonly jobs: readonly Job[];
  readonly scratchRoot: string;
  readonly #o: LocalExecutorOptions;
  readonly #job: Job;
  readonly #stopper: Stopper;
  readonly #run: TaskRun;
  readonly #work: Work;
  readonly #timers: Timer[] = [];
  readonly #ended: () => void;
  #signAt = 0;
  #crash: Crash | undefined;

  /** @param ended its slot is free */
  constructor(o: LocalExecutorOptions, job: Job, stopper: Stopper, ended: () => void) {
    this.#o = o;
    this.#job = job;
    this.#stopper = stopper;
    this.#ended = ended;
    this.jobs = [job];
    this.scratchRoot = o.scratchDir;
    const { task, about, electron, token, node, template, inputs, split } = job.task;
    const { name, env, hooks } = electron;
    const given = { task, about, electron: name, token, node, template, inputs, split, env, hooks, startBy: 0 };
    this.#run = new TaskRun({ type: 'run', ...given }, this);
    this.#work = new Work(o.timeline, () => this.#run.signal);
  }

  begin(): void {
    const job = this.#job;
    const { clock } = this.#o;
    job.lane = this;
    job.since = clock.monotonic();
    job.startedAt = clock.now();
    this.#signAt = job.since;
    const { timeoutMs } = job.task;
    if (timeoutMs > 0) this.#later(timeoutMs, () => this.#stop('attempt', `it took longer than ${timeoutMs} ms`));
    this.#watchSilence(job.task.electron.timeouts.silenceMs);
    const result = callElectron(this.#run, (...args: readonly unknown[]) => this.#call(job.task, args), {
      maxValueBytes: defaults.maxValueBytes,
      explain: () => undefined,
    });
    if (result instanceof Promise) void result.then((late) => this.#over(late));
    else this.#over(result);
  }

  cancel(_job: Job, code: StopCode, reason: string): void {
    this.#run.cancel(code, reason);
  }

  /** Its grace time is over: a function can't be stopped, so nobody listens to it any more. */
  kill(): void {
    this.#over({ status: 'cancelled' });
  }

  /** Its agent's process is gone. */
  die(): void {
    this.#job.forgotten = true;
    this.#run.cancel('CANCELLED', "its agent's process was killed");
    this.kill();
  }

  log(_run: TaskRun, stream: 'stdout' | 'stderr', text: string): void {
    this.#signAt = this.#o.clock.monotonic();
    this.#job.output(stream, text);
    this.#job.publish();
  }

  progress(_run: TaskRun, fraction: number, note: string): void {
    this.#signAt = this.#o.clock.monotonic();
    if (!this.#job.over) this.#job.progress(fraction, note);
  }

  #call(task: ExecutorTask, args: readonly unknown[]): unknown {
    return atWork.run(this.#work, () =>
      withTask(this.#run.context, () => {
        try {
          const returned = this.#played(task, args);
          return returned instanceof Promise ? returned.catch((error: unknown) => this.#threw(error)) : returned;
        } catch (error) {
          return this.#threw(error);
        }
      }),
    );
  }

  #threw(error: unknown): never {
    if (error instanceof Crash) this.#crash = error;
    throw error;
  }

  /** A mock goes before what the agent plays, and that before the electron's own function. */
  #played(task: ExecutorTask, args: readonly unknown[]): unknown {
    const { agent, clock, code, mocks, play } = this.#o;
    const { name } = task.electron;
    const own = code.find(task.code, task.electron);
    if (own === undefined) throw new Error(`electron "${name}" is no function of this process`);
    const shown: TestTask = {
      electron: name,
      args,
      attempt: task.token[1],
      dispatch: task.dispatch,
      node: task.node,
      agent,
      at: new Date(clock.now()),
    };
    const mock = mocks.called(shown);
    const call = (): unknown => {
      if (mock !== undefined) return Reflect.apply(mock, undefined, args);
      return play.run === undefined ? Reflect.apply(own, undefined, args) : play.run(shown);
    };
    const takes = typeof play.takes === 'function' ? play.takes(shown) : (play.takes ?? 0);
    const ms = milliseconds(takes, `agent "${agent}": takes`);
    return ms === 0 ? call() : this.#o.sleep(ms).then(call);
  }

  #later(ms: number, callback: () => void): void {
    this.#timers.push(this.#o.clock.after(ms, callback));
  }

  #watchSilence(silenceMs: number): void {
    if (silenceMs === 0) return;
    const { clock } = this.#o;
    this.#later(this.#signAt + silenceMs - clock.monotonic(), () => {
      if (clock.monotonic() < this.#signAt + silenceMs) return this.#watchSilence(silenceMs);
      this.#stop('silence', `it gave no sign of life for ${silenceMs} ms`);
    });
  }

  #stop(why: 'attempt' | 'silence', reason: string): void {
    this.#stopper.stop(this.#job, why, reason);
  }

  /** The first time counts: what a function does after it was given up is not heard. */
  #over(result: Result): void {
    const job = this.#job;
    this.#work.over();
    if (job.over) return;
    for (const timer of this.#timers) timer.cancel();
    const endedAt = this.#o.clock.now();
    const error = this.#crash === undefined ? undefined : crashError(this.#crash, job.task.electron);
    job.end(error === undefined ? result : { status: 'failed', error }, { startedAt: job.startedAt, endedAt });
    this.#ended();
  }
}
