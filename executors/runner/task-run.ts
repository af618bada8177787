/**
 * One attempt inside the runner: its context for user code, and how anything that happens in the process finds the attempt that caused it
 * (AsyncLocalStorage). Costly parts, the abort signal and the scratch folder, are only made when used.
 * Not here: decoding and calling (call.ts), the queue (runner.ts).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync } from 'node:fs';
import type { TaskContextShape } from '../../bus/protocol/registry.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Stream } from '../../model/log-entry.ts';
import { logLine } from '../../model/log-line.ts';
import type { RunTask, StopCode } from './messages.ts';
import { scratchDirOf } from './scratch-dir.ts';

/** What user code's reports go to, and where scratch folders are. */
export interface RunHome {
  readonly scratchRoot: string;
  log(run: TaskRun, stream: Stream, text: string): void;
  progress(run: TaskRun, fraction: number, note: string): void;
}

/** The attempt that the current code belongs to. */
export const attempts = new AsyncLocalStorage<TaskRun>();

export class TaskRun {
  readonly task: RunTask;
  readonly home: RunHome;
  #controller: AbortController | undefined;
  #context: TaskContextShape | undefined;
  /** Set by the first cancel. */
  #stop: { readonly code: StopCode; readonly reason: string } | undefined;
  scratchUsed = false;
  /** Ends the attempt from outside while its function is still at work. */
  abandon: ((error: ErrorInfo) => void) | undefined;
  /** An error that escaped from the attempt; it decides the outcome, if that isn't sent yet. */
  escaped: ErrorInfo | undefined;
  /** The function has returned, thrown, or been given up. */
  settled = false;

  constructor(task: RunTask, home: RunHome) {
    this.task = task;
    this.home = home;
  }

  get context(): TaskContextShape {
    this.#context ??= contextOf(this, this.home);
    return this.#context;
  }

  /** It was told to stop. */
  get stopped(): boolean {
    return this.#stop !== undefined;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    this.#abort();
    return this.#controller.signal;
  }

  scratchDir(): string {
    const { task, token } = this.task;
    const dir = scratchDirOf(this.home.scratchRoot, task, token);
    if (!this.scratchUsed) mkdirSync(dir, { recursive: true });
    this.scratchUsed = true;
    return dir;
  }

  cancel(code: StopCode, reason: string): void {
    this.#stop ??= { code, reason };
    this.#abort();
  }

  #abort(): void {
    const stop = this.#stop;
    if (stop === undefined || this.#controller === undefined || this.#controller.signal.aborted) return;
    // the name is what libraries look at, the code is for people's own code
    this.#controller.abort(Object.assign(new PolaronError(stop.code, stop.reason), { name: 'AbortError' }));
  }
}

function contextOf(run: TaskRun, home: RunHome): TaskContextShape {
  const { task, electron, node, token, about } = run.task;
  return {
    dispatchId: task.slice(0, task.lastIndexOf('_')),
    nodeId: node,
    attempt: token[1],
    electronName: electron,
    latticeName: about.lattice,
    user: about.user,
    metadata: Object.freeze(about.metadata ?? {}),
    injected: {},
    get signal() {
      return run.signal;
    },
    get scratchDir() {
      return run.scratchDir();
    },
    log: (message, fields) => home.log(run, 'log', logLine(Date.now(), message, fields)),
    // user code may pass anything
    progress: (fraction: unknown, note: unknown = '') =>
      home.progress(run, Math.min(1, Math.max(0, Number(fraction) || 0)), String(note)),
  };
}
