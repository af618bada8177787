/**
 * The executor `thread`: a pool of runners that are threads, several in one process beside the agent's. For short electrons that are trusted.
 * Not here: the processes (thread-hosts.ts), who gets what (process/pool.ts).
 */
import { access } from 'node:fs/promises';
import { PolaronError } from '../../model/errors.ts';
import { THREAD_EXECUTOR } from '../../model/executor-choice.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { ExecutorFactory, ExecutorGround } from '../executor-ground.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executor.ts';
import { ProcessPool } from '../process/pool.ts';
import { hostProgram } from '../program.ts';
import { refuse } from '../refused-attempt.ts';
import { ThreadHosts } from './thread-hosts.ts';

/** A thread without work is ended after this. */
const IDLE_MS = 5 * 60 * 1_000;

export class ThreadExecutor implements Executor {
  readonly name = THREAD_EXECUTOR;
  readonly #ground: ExecutorGround;
  readonly #hosts: ThreadHosts;
  readonly #pool: ProcessPool;

  constructor(ground: ExecutorGround) {
    this.#ground = ground;
    const { slots, graceMs, clock, scratchDir, start, log } = ground;
    this.#hosts = new ThreadHosts(log);
    this.#pool = new ProcessPool({
      name: THREAD_EXECUTOR,
      slots,
      graceMs,
      clock,
      scratchDir,
      spare: false,
      start,
      run: (how, listener) => this.#hosts.start(how, listener),
      idleMs: IDLE_MS,
      placeOf: ({ task, code }) => this.#hosts.placeOf(task, code.key),
      forOne: (place) => this.#hosts.isForOne(place),
    });
  }

  /** Rejects with EXECUTOR_SETUP when the package is incomplete. */
  async setUp(): Promise<void> {
    const program = hostProgram();
    await access(program).catch((cause: unknown) => {
      throw new PolaronError('EXECUTOR_SETUP', `${program} can't be read; install polaron again`, { cause });
    });
  }

  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const wrong = refusal(task);
    return wrong === undefined ? this.#pool.start(task, events) : refuse(this.#ground.clock, events, wrong);
  }

  roomChanged(): void {
    this.#pool.roomChanged();
  }

  typicalMs(): number | undefined {
    return this.#pool.typicalMs();
  }

  async stop(): Promise<void> {
    // at once: nobody waits for a thread that doesn't end
    await Promise.all([this.#pool.stop(), this.#hosts.stop()]);
  }
}

/** What the SDK refuses too, where it is asked. */
function refusal({ electron: { name, executorOptions = {}, exclusive } }: ExecutorTask): ErrorInfo | undefined {
  const [option] = Object.keys(executorOptions);
  if (option !== undefined) {
    const message = `electron "${name}" (executor ${THREAD_EXECUTOR}): option "${option}": this executor has none`;
    return { code: 'EXECUTOR_OPTION', message };
  }
  if (exclusive !== true) return undefined;
  const message = `electron "${name}": a thread that doesn't end is ended with its process a moment later, which an exclusive electron can't wait for; give it executor "process"`;
  return { code: 'NOT_SUPPORTED', message };
}

export const threadExecutor: ExecutorFactory = (ground) => new ThreadExecutor(ground);
