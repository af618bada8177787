/**
 * One attempt inside the runner: its context for user code, and how anything that happens in the process finds the attempt that caused it
 * (AsyncLocalStorage). Costly parts, the abort signal and the scratch folder, are only made when used.
 * Not here: decoding and calling (call.ts), the queue (runner.ts).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync } from 'node:fs';
import { inspect } from 'node:util';
import type { TaskContextShape } from '../../bus/protocol/registry.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { RunTask } from './messages.ts';
import { scratchDirOf } from './scratch-dir.ts';

/** What user code's reports go to, and where scratch folders are. */
export interface RunHome {
  readonly scratchRoot: string;
  log(run: TaskRun, stream: 'stdout' | 'stderr', text: string): void;
  progress(run: TaskRun, fraction: number, note: string): void;
}

/** The attempt that the current code belongs to. */
export const attempts = new AsyncLocalStorage<TaskRun>();

export class TaskRun {
  readonly task: RunTask;
  readonly #home: RunHome;
  #controller: AbortController | undefined;
  #context: TaskContextShape | undefined;
  /** Set by the first cancel. */
  cancelReason: string | undefined;
  scratchUsed = false;
  /** Ends the attempt from outside while its function is still at work. */
  abandon: ((error: ErrorInfo) => void) | undefined;
  /** An error that escaped from the attempt; it decides the outcome, if that isn't sent yet. */
  escaped: ErrorInfo | undefined;
  /** The function has returned, thrown, or been given up. */
  settled = false;

  constructor(task: RunTask, home: RunHome) {
    this.task = task;
    this.#home = home;
  }

  get context(): TaskContextShape {
    this.#context ??= contextOf(this, this.#home);
    return this.#context;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.cancelReason !== undefined) this.#abort(this.#controller, this.cancelReason);
    return this.#controller.signal;
  }

  scratchDir(): string {
    const { task, token } = this.task;
    const dir = scratchDirOf(this.#home.scratchRoot, task, token);
    if (!this.scratchUsed) mkdirSync(dir, { recursive: true });
    this.scratchUsed = true;
    return dir;
  }

  cancel(reason: string): void {
    this.cancelReason ??= reason;
    if (this.#controller !== undefined) this.#abort(this.#controller, this.cancelReason);
  }

  #abort(controller: AbortController, reason: string): void {
    if (!controller.signal.aborted) controller.abort(new DOMException(reason, 'AbortError'));
  }
}

function contextOf(run: TaskRun, home: RunHome): TaskContextShape {
  const { task, node, token } = run.task;
  return {
    dispatchId: task.slice(0, task.lastIndexOf('_')),
    nodeId: node,
    attempt: token[1],
    injected: {},
    get signal() {
      return run.signal;
    },
    get scratchDir() {
      return run.scratchDir();
    },
    log: (message, fields) =>
      home.log(
        run,
        'stdout',
        fields === undefined ? `${message}\n` : `${message} ${inspect(fields, { breakLength: Infinity })}\n`,
      ),
    // user code may pass anything
    progress: (fraction: unknown, note: unknown = '') =>
      home.progress(run, Math.min(1, Math.max(0, Number(fraction) || 0)), String(note)),
  };
}
