/**
 * The executors of an agent, by name. They share its slots: what isn't a process of this machine is never queued here, so the pool of processes leaves room for it.
 * Not here: what an executor does (executor.ts), which attempts there are (tasks.ts).
 */
import { asPolaronError } from '../../model/errors.ts';
import { DEFAULT_EXECUTOR } from '../../model/executor-choice.ts';
import type { Log } from '../../model/log.ts';
import { counted } from '../counted-attempt.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask, FoundTask } from '../executor.ts';

export class Executors {
  readonly #byName: ReadonlyMap<string, Executor>;
  readonly #ready = new Map<string, Executor>();
  readonly #log: Log;
  readonly #others: { count: number };

  /** `make` gets how many attempts have an executor that isn't `process`. The last one of a name counts. */
  constructor(make: (others: () => number) => readonly Executor[], log: Log) {
    const others = { count: 0 };
    this.#others = others;
    this.#log = log;
    this.#byName = new Map(make(() => others.count).map((executor) => [executor.name, executor]));
    for (const [name, executor] of this.#byName) if (executor.setUp === undefined) this.#ready.set(name, executor);
  }

  /** Those that work on this machine. */
  get names(): ReadonlySet<string> {
    return new Set(this.#ready.keys());
  }

  /** Makes them ready, all at once; one that can't work is told of and left out. */
  async setUp(): Promise<void> {
    await Promise.all(
      [...this.#byName].map(async ([name, executor]) => {
        if (executor.setUp === undefined) return;
        try {
          await executor.setUp();
          this.#ready.set(name, executor);
        } catch (error) {
          const { code, message } = asPolaronError(error, 'EXECUTOR_SETUP');
          this.#log('error', `agent: executor "${name}" isn't offered: ${message}`, { executor: name, code });
        }
      }),
    );
  }

  get(name: string): Executor | undefined {
    return this.#ready.get(name);
  }

  /** How long recent electrons took that may be queued here; undefined before the first. */
  typicalMs(): number | undefined {
    return this.#ready.get(DEFAULT_EXECUTOR)?.typicalMs();
  }

  /** Attempts of earlier lives. */
  found(): readonly { readonly executor: Executor; readonly found: FoundTask }[] {
    return [...this.#ready.values()].flatMap((executor) =>
      (executor.found?.() ?? []).map((found) => ({ executor, found })),
    );
  }

  start(executor: Executor, task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    return this.#counted(executor, events, (heard) => executor.start(task, heard));
  }

  /** Takes up what was found. */
  resume(executor: Executor, found: FoundTask, events: ExecutorEvents): ExecutorHandle | undefined {
    if (executor.resume === undefined) return undefined;
    const resume = executor.resume.bind(executor);
    return this.#counted(executor, events, (heard) => resume(found, heard));
  }

  async stop(): Promise<void> {
    const ends = await Promise.allSettled([...this.#byName.values()].map((executor) => executor.stop()));
    for (const end of ends)
      if (end.status === 'rejected') this.#log('warn', `agent: an executor did not stop: ${String(end.reason)}`);
  }

  /** Counts an attempt until it is over, if its executor isn't `process`. */
  #counted(
    { name, shares }: Executor,
    events: ExecutorEvents,
    begin: (events: ExecutorEvents) => ExecutorHandle,
  ): ExecutorHandle {
    if (name === DEFAULT_EXECUTOR || shares === true) return begin(events);
    const others = this.#others;
    others.count++;
    const over = (): void => {
      others.count--;
      this.#byName.get(DEFAULT_EXECUTOR)?.roomChanged?.();
    };
    return counted(events, over, begin);
  }
}
