/**
 * The played executor: attempts take simulated time and end as their plan says. A runner is a process of its own: it outlives a killed agent until the next
 * life kills it (A5), or its guardian does, or the power goes. Not here: what an electron gives (program.ts).
 */
import type { Timer } from '../../../model/clock.ts';
import type { ErrorInfo, Outcome, Usage } from '../../../model/outcome.ts';
import { timeoutError } from '../../../model/timeouts.ts';
import { valueInfoOf } from '../../../bus/value/digest.ts';
import { INLINE_VALUE_BYTES } from '../../../store/store.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask, TaskInput } from '../../../executors/executor.ts';
import type { AgentFolder } from './agent-folder.ts';
import type { History } from './history.ts';
import type { SimProcess } from './machine.ts';
import type { ElectronPlan } from './plan.ts';
import { calledBy, endOf, valueOf } from './program.ts';
import type { Rng } from './random.ts';

/** From a cancel to the end of what runs, at most; some take their time. */
const GRACE_MS = 100;
const LONG_GRACE_MS = 3_000;

export interface ExecutorOptions {
  readonly agent: string;
  readonly slots: number;
  readonly process: SimProcess;
  readonly folder: AgentFolder;
  readonly runners: Runners;
  readonly history: History;
  readonly random: Rng;
  readonly does: ReadonlyMap<string, ElectronPlan>;
  /** An electron takes its agent with it. */
  readonly killAgent: () => void;
}

/** The runner processes of one agent's folder, over its lives. */
export class Runners {
  readonly #running = new Set<Runner>();

  get list(): readonly Runner[] {
    return [...this.#running];
  }
  add(runner: Runner): void {
    this.#running.add(runner);
  }
  remove(runner: Runner): void {
    this.#running.delete(runner);
  }
  /** SIGKILL to all. */
  kill(): void {
    for (const runner of this.list) runner.killed();
  }
}

export class SimExecutor implements Executor {
  readonly name = 'process';
  readonly o: ExecutorOptions;
  readonly #waiting: Runner[] = [];
  #running = 0;
  #typical: number | undefined;

  constructor(options: ExecutorOptions) {
    this.o = options;
  }

  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const runner = new Runner(this, task, events);
    this.#waiting.push(runner);
    this.#next();
    return runner;
  }

  typicalMs(): number | undefined {
    return this.#typical;
  }

  async stop(): Promise<void> {
    this.o.runners.kill();
  }

  unqueue(runner: Runner): boolean {
    const at = this.#waiting.indexOf(runner);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  /** A slot is free again. */
  over(ms: number): void {
    this.#running--;
    this.#typical = this.#typical === undefined ? ms : this.#typical * 0.7 + ms * 0.3;
    this.#next();
  }

  #next(): void {
    while (this.#running < this.o.slots) {
      const runner = this.#waiting.shift();
      if (runner === undefined) return;
      this.#running++;
      runner.begin();
    }
  }
}

export class Runner implements ExecutorHandle {
  readonly #pool: SimExecutor;
  readonly #task: ExecutorTask;
  readonly #events: ExecutorEvents;
  readonly #called: string;
  #startedAt = 0;
  #beganAt = 0;
  #timer: Timer | undefined;
  #over = false;
  #told = true;

  constructor(pool: SimExecutor, task: ExecutorTask, events: ExecutorEvents) {
    this.#pool = pool;
    this.#task = task;
    this.#events = events;
    const file = task.code.bundleFile ?? '';
    this.#called = calledBy(task.electron.name, file.slice(file.lastIndexOf('/') + 1, file.lastIndexOf('.')));
  }

  begin(): void {
    const { o } = this.#pool;
    const { task, token, electron, timeoutMs } = this.#task;
    const plan = o.does.get(this.#called);
    if (plan === undefined) throw new Error(`no electron is called ${this.#called}`);
    this.#startedAt = o.process.clock.now();
    this.#beganAt = o.process.machine.timeline.now;
    o.runners.add(this);
    o.history.add({ type: 'begun', agent: o.agent, life: o.process.name, name: this.#called, task, token });
    const { does } = plan;
    const { silenceMs } = electron.timeouts;
    const { ms, by } = endOf(does, { attemptMs: timeoutMs, silenceMs });
    // the runner's own time: it goes on when its agent is dead
    this.#timer = o.process.machine.timeline.after(ms, () => {
      if (does.kills) o.killAgent();
      else if (by !== undefined) this.#fail(timeoutError(by, electron.name, by === 'attempt' ? timeoutMs : silenceMs));
      else if (token[1] <= does.fails) this.#failBy('TASK_THREW');
      else this.#complete(plan);
    });
    if (does.signMs > 0) this.#sign(does.signMs);
  }

  #sign(everyMs: number): void {
    this.#pool.o.process.clock.after(everyMs, () => {
      if (this.#over) return;
      if (this.#told) this.#events.progress(0.5, '');
      this.#sign(everyMs);
    });
  }

  runningSince(): number {
    return this.#startedAt;
  }

  cancel(): void {
    if (this.#pool.unqueue(this)) {
      this.#over = true;
      this.#events.ended({ status: 'cancelled', usage: this.#usage() });
      return;
    }
    if (this.#over) return;
    const { random, process } = this.#pool.o;
    // some heed the signal at once, some not, and some end by themselves before
    if (random.chance(0.2)) return;
    this.#timer?.cancel();
    this.#timer = process.machine.timeline.after(random.below(random.pick(GRACE_MS, LONG_GRACE_MS)), () =>
      this.#end('cancelled', { status: 'cancelled', usage: this.#usage() }),
    );
  }

  revoke(): boolean {
    return this.#pool.unqueue(this);
  }

  /** At once, whatever is asked for. */
  forget(): void {
    this.#told = false;
    if (!this.#pool.unqueue(this)) this.killed();
  }

  /** Its process is gone, without a word. */
  killed(): void {
    this.#told = false;
    this.#end('killed', undefined);
  }

  /** Its process died of itself, and the agent sees it. */
  crash(): void {
    this.#failBy('CRASHED');
  }

  #complete(plan: ElectronPlan): void {
    const { o } = this.#pool;
    const { inputs, task, token } = this.#task;
    const bytes = valueOf(this.#called, plan.does, inputs.filter(isBytes), token);
    const value = { ...valueInfoOf(bytes) };
    const outcome: Outcome = { status: 'completed', value, usage: this.#usage() };
    if (bytes.length <= INLINE_VALUE_BYTES) return this.#end('completed', { ...outcome, bytes });
    const file = `${o.folder.id}/scratch/${task}.${token.join('.')}`;
    o.folder.leave(file, bytes);
    this.#end('completed', outcome, file);
  }

  #failBy(code: string): void {
    this.#fail({ code, message: `${this.#task.node} ended by plan` });
  }

  #fail(error: ErrorInfo): void {
    this.#end('failed', { status: 'failed', error, usage: this.#usage() }, undefined, error.name ?? error.code);
  }

  #end(
    how: 'completed' | 'failed' | 'cancelled' | 'killed',
    outcome: Outcome | undefined,
    file?: string,
    code?: string,
  ): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    const { o } = this.#pool;
    const { task, token } = this.#task;
    o.runners.remove(this);
    const heard = outcome !== undefined && this.#told && o.process.alive;
    const more = code === undefined ? {} : { code };
    const orphan = !o.process.alive;
    o.history.add({ type: 'over', agent: o.agent, life: o.process.name, task, token, how, heard, orphan, ...more });
    if (!o.process.alive) return;
    if (heard) this.#events.ended(outcome, file);
    this.#pool.over(o.process.machine.timeline.now - this.#beganAt);
  }

  #usage(): Usage {
    const now = this.#pool.o.process.clock.now();
    return { startedAt: this.#startedAt === 0 ? now : this.#startedAt, endedAt: now };
  }
}

/** No value of a simulation is large enough to be a file. */
const isBytes = (input: TaskInput): input is Uint8Array => input instanceof Uint8Array;
