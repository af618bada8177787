/** The executor of an agent in a test: electrons are functions of this process, at most so many at once. Not here: one attempt (local-run.ts). */
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executors/executor.ts';
import { TypicalDuration } from '../executors/process/durations.ts';
import { Job, type JobOwner } from '../executors/process/job.ts';
import { Stopper } from '../executors/process/stopper.ts';
import { defaults } from '../model/defaults.ts';
import { DEFAULT_EXECUTOR, THREAD_EXECUTOR } from '../model/executor-choice.ts';
import type { Usage } from '../model/outcome.ts';
import { LocalRun, type LocalExecutorOptions } from './local-run.ts';

export class LocalExecutor implements Executor {
  readonly name: string;
  readonly #o: LocalExecutorOptions;
  readonly #queue: Job[] = [];
  readonly #running = new Set<LocalRun>();
  readonly #stopper: Stopper;
  readonly #owner: JobOwner = {
    unqueue: (job) => {
      const at = this.#queue.indexOf(job);
      if (at >= 0) this.#queue.splice(at, 1);
      return at >= 0;
    },
    stop: (job, reason) => this.#stopper.stop(job, 'cancel', reason),
    kill: (job, reason) => this.#stopper.kill(job, 'cancel', reason),
    noUsage: (): Usage => ({ startedAt: this.#o.clock.now(), endedAt: this.#o.clock.now() }),
  };

  constructor(options: LocalExecutorOptions) {
    this.#o = options;
    this.name = options.name;
    this.#stopper = new Stopper(options.clock, defaults.graceMs);
  }

  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const job = new Job(task, events, new TypicalDuration(), this.#queue, this.#owner);
    this.#queue.push(job);
    // not inside this call: its caller doesn't have the handle yet
    queueMicrotask(() => this.#next());
    return job;
  }

  /** Nothing is handed out ahead: it would make no test quicker. */
  typicalMs(): undefined {
    return undefined;
  }

  stop(): Promise<void> {
    this.kill();
    return Promise.resolve();
  }

  /** All that runs or waits here is gone, without a word. */
  kill(): void {
    this.#queue.length = 0;
    for (const run of [...this.#running]) run.die();
  }

  #next(): void {
    while (this.#running.size < this.#o.slots) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      const run: LocalRun = new LocalRun(this.#o, job, this.#stopper, () => {
        this.#running.delete(run);
        queueMicrotask(() => this.#next());
      });
      this.#running.add(run);
      run.begin();
    }
  }
}

/** What stands for `process` stands for `thread` too, in the same places. */
export function besides(executor: LocalExecutor): readonly Executor[] {
  if (executor.name !== DEFAULT_EXECUTOR) return [];
  return [
    {
      name: THREAD_EXECUTOR,
      shares: true,
      start: (task, events) => executor.start(task, events),
      typicalMs: () => undefined,
      stop: () => executor.stop(),
    },
  ];
}
