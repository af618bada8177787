/**
 * The agent's work in hand: brings inputs and code together, starts attempts, stops them, and turns their ends into spooled outcomes, one
 * spool write per turn. Not here: decisions (state.ts), messages (agent.ts).
 */
import type { Assign, AssignedTask, FinishedTask, LiveLogs } from '../../bus/protocol/agent.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { DepsDef, ElectronDef } from '../../model/graph.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Clock } from '../../model/clock.ts';
import { sameToken, type ErrorInfo, type Outcome, type TaskLogs } from '../../model/outcome.ts';
import { codeIn, wantedDeps } from '../deps/code-in-environment.ts';
import { isDiskFull } from '../disk-full.ts';
import type { DepsInstaller } from '../deps/dependencies.ts';
import type { ExecutorCode, ExecutorTask, FoundTask } from '../executor.ts';
import { Attempt, type AttemptListener } from './attempt.ts';
import type { Bundles } from './bundles.ts';
import type { Executors } from './executors.ts';
import type { HeldValues } from './held-values.ts';
import { inlineInputs, type Inputs, type WholeArguments } from './inputs.ts';
import type { AgentState, Held } from './state.ts';

export interface TasksOptions {
  readonly state: AgentState;
  readonly executors: Executors;
  readonly inputs: Inputs;
  readonly bundles: Bundles;
  readonly values: HeldValues;
  readonly deps: DepsInstaller;
  readonly clock: Clock;
  readonly tell: Pick<AttemptListener, 'log' | 'progress'>;
  /** The outcomes of one turn: to be spooled and reported. */
  readonly finished: (outcomes: readonly FinishedTask[]) => void;
}

export class Tasks implements AttemptListener {
  readonly #options: TasksOptions;
  readonly #attempts = new Map<TaskId, Attempt>();
  #ended: FinishedTask[] = [];

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  start(assign: Assign, tasks: readonly AssignedTask[]): void {
    for (const task of tasks) {
      const held = this.#options.state.held.get(task.task);
      if (held === undefined) continue;
      const attempt = new Attempt(held, this);
      this.#attempts.set(task.task, attempt);
      this.#begin(attempt, assign, task);
    }
  }

  /** What earlier lives began. One whose outcome is known, or that another attempt has replaced, is stopped. */
  resume(all: ReturnType<Executors['found']>): void {
    const { state, executors } = this.#options;
    for (const { executor, found } of all) {
      const held = state.held.get(found.task);
      const wanted = held !== undefined && held.outcome === undefined && sameToken(held.token, found.token);
      const attempt = new Attempt(held ?? { ...found, outcome: undefined, exclusive: false }, this);
      if (wanted) this.#attempts.set(found.task, attempt);
      const handle = executors.resume(executor, found, attempt);
      if (!wanted) handle?.forget();
      else if (handle !== undefined) attempt.begun(handle);
    }
  }

  attemptOf(held: Held): Attempt | undefined {
    const attempt = this.#attempts.get(held.task);
    return attempt?.held === held ? attempt : undefined;
  }

  /** What it has written so far; nothing when it isn't at work here. */
  logsOf(task: TaskId): LiveLogs {
    const attempt = this.#attempts.get(task);
    const logs = attempt?.logs();
    return attempt === undefined ? {} : { token: attempt.held.token, ...(logs === undefined ? {} : { logs }) };
  }

  /** Stops it; its outcome `cancelled` follows. */
  cancel(held: Held, reason: string): void {
    const attempt = this.attemptOf(held);
    if (attempt === undefined || attempt.cancel(reason)) return;
    const now = this.#options.clock.now();
    this.ended(attempt, { status: 'cancelled', usage: { startedAt: now, endedAt: now } }, undefined);
  }

  /** Takes back what only waits; true when it did. */
  revoke(held: Held): boolean {
    const attempt = this.attemptOf(held);
    if (attempt?.revoke() !== true) return false;
    this.#attempts.delete(held.task);
    attempt.over();
    return true;
  }

  /** The agent ends: true when it goes on without it. */
  leave(held: Held): boolean {
    return this.attemptOf(held)?.leave() === true;
  }

  /** Stops it without an outcome. */
  forget(held: Held): void {
    const attempt = this.attemptOf(held);
    if (attempt === undefined) return;
    this.#attempts.delete(held.task);
    attempt.forget();
    attempt.over();
  }

  log(line: Parameters<AttemptListener['log']>[0]): void {
    this.#options.tell.log(line);
  }

  progress(progress: Parameters<AttemptListener['progress']>[0]): void {
    this.#options.tell.progress(progress);
  }

  ended(attempt: Attempt, outcome: Outcome, file: string | undefined): void {
    attempt.over();
    const { task, token } = attempt.held;
    if (this.#attempts.get(task) === attempt) this.#attempts.delete(task);
    const { state, values } = this.#options;
    if (state.held.get(task) !== attempt.held) return;
    let kept = outcome;
    try {
      if (file !== undefined) values.adopt(outcome, file);
    } catch (error) {
      // the result's file is gone or can't be moved: a full disk, or user code that removed it
      const { code, message } = asPolaronError(error, isDiskFull(error) ? 'DISK_FULL' : 'VALUE_MISSING');
      kept = {
        status: 'failed',
        error: { code, message: `the result can't be kept: ${message}` },
        usage: outcome.usage,
      };
    }
    const finished = state.ended(task, token, kept);
    if (finished === undefined) return;
    if (this.#ended.length === 0) queueMicrotask(() => this.#flush());
    this.#ended.push(finished);
  }

  #flush(): void {
    const ended = this.#ended;
    this.#ended = [];
    this.#options.finished(ended);
  }

  #begin(attempt: Attempt, assign: Assign, task: AssignedTask): void {
    const manifest = assign.manifests[task.manifest];
    const code = manifest === undefined ? undefined : this.#options.bundles.ready(manifest);
    const whole = inlineInputs(task);
    const ready = code !== undefined && wantedDeps(assign.electrons[task.electron], code) === undefined;
    if (ready && whole !== undefined) this.#hand(attempt, assign, task, code, whole);
    else void this.#prepare(attempt, assign, task);
  }

  async #prepare(attempt: Attempt, assign: Assign, task: AssignedTask): Promise<void> {
    const { signal } = attempt;
    const manifest = assign.manifests[task.manifest];
    if (manifest === undefined) return;
    try {
      const [whole] = await Promise.all([
        this.#options.inputs.resolve(task, signal, (file) => attempt.holds(file)),
        manifest.bundle === undefined ? undefined : this.#options.bundles.fetch(manifest.bundle, signal),
      ]);
      const code = this.#options.bundles.ready(manifest);
      if (signal.aborted || code === undefined) return;
      const wanted = wantedDeps(assign.electrons[task.electron], code);
      const placed = wanted === undefined ? code : await this.#placed(attempt, wanted, code);
      if (!signal.aborted) this.#hand(attempt, assign, task, placed, whole);
    } catch (error) {
      if (signal.aborted) return;
      const { code, message, details } = asPolaronError(error, 'VALUE_MISSING');
      const { output } = details;
      const logs = typeof output === 'string' ? { stdout: '', stderr: output } : undefined;
      this.#fail(attempt, task, assign.electrons[task.electron], { code, message }, logs);
    }
  }

  /** It never ran. */
  #fail(
    attempt: Attempt,
    task: AssignedTask,
    electron: ElectronDef | undefined,
    { code, message }: ErrorInfo,
    logs?: TaskLogs,
  ): void {
    const now = this.#options.clock.now();
    const { name, at } = electron ?? { name: task.name, at: undefined };
    const what = `electron "${name}"${at === undefined ? '' : ` (${at})`}: `;
    const error = { code, message: `${what}${message}` };
    const usage = { startedAt: now, endedAt: now };
    this.ended(attempt, { status: 'failed', error, ...(logs === undefined ? {} : { logs }), usage }, undefined);
  }

  /** Where its dependencies are. It isn't with an executor meanwhile: it waits, as far as its times go. */
  async #placed(attempt: Attempt, wanted: DepsDef, code: ExecutorCode): Promise<ExecutorCode> {
    const tell = (line: string): void => attempt.log('stderr', `${line}\n`);
    const held = await this.#options.deps.obtain(wanted, tell, attempt.signal);
    attempt.holds(held);
    return codeIn(held.installed, code);
  }

  #hand(attempt: Attempt, assign: Assign, task: AssignedTask, code: ExecutorCode, whole: WholeArguments): void {
    const electron = assign.electrons[task.electron];
    const { executors } = this.#options;
    const executor = electron === undefined ? undefined : executors.get(electron.executor);
    const manifest = assign.manifests[task.manifest];
    if (electron === undefined || executor === undefined || manifest === undefined) return;
    if (electron.exclusive === true && executor.handsAway === true) {
      const message = `executor "${executor.name}" hands its work away, and can't stop it before a lease ends; an exclusive electron needs executor "process"`;
      return this.#fail(attempt, task, electron, { code: 'NOT_SUPPORTED', message });
    }
    const { split, timeoutMs, token, inputsDigest, holds } = task;
    const node = task.path ?? task.task.slice(task.task.lastIndexOf('_') + 1);
    const { dispatch } = manifest;
    const { template, inputs } = whole;
    const takes = attempt.held.taken?.needs;
    const of = {
      ...{ task: task.task, token, inputsDigest },
      ...(holds === undefined ? {} : { holds }),
      ...(takes === undefined ? {} : { takes }),
    };
    const about: Omit<ExecutorTask, keyof FoundTask> = {
      dispatch,
      about: manifest,
      node,
      electron,
      template,
      inputs,
      split,
      timeoutMs,
      code,
    };
    attempt.begun(executors.start(executor, { ...of, ...about }, attempt));
  }
}
