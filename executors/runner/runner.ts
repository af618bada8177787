/**
 * The runner: takes tasks in order, runs one at a time, answers each once. Batches answers while tasks are short.
 * Invariants: R1 an answer is final only after the turn in which its function settled, so that a rejection nobody handled still decides it;
 * R2 all earlier answers are sent, or saved in the outbox, before a task starts, and then it isn't started after its `startBy`: so the agent
 * knows which task runs in a process that is stuck or dead, and which never will; R3 after an error escaped from a function that is still at
 * work the process takes no more: it answers, gives the rest back, and ends; R4 after a task that was told to stop no other is started: the agent ends the process.
 */
import { HOOKING, IDENTITY_ELECTRON } from '../../model/graph.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { callElectron, type CallOptions } from './call.ts';
import type { Link } from './link.ts';
import type { ElectronFn, LoadedBundle } from './loader.ts';
import type { FromRunner, RunFinished, RunTask, ToRunner } from './messages.ts';
import { PendingOutput } from './output.ts';
import { systemMs } from './system-clock.ts';
import { TaskRun, type RunHome } from './task-run.ts';

/** Answers wait at most about this long while more tasks follow. */
const BURST_MS = 1;

export interface RunnerOptions {
  readonly link: Link;
  readonly load: (bundleFile: string | undefined, argv: readonly string[]) => Promise<LoadedBundle>;
  readonly maxValueBytes: number;
  readonly scratchRoot: string;
}

interface Answer {
  readonly run: TaskRun;
  finished: RunFinished;
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #queue: RunTask[] = [];
  readonly #functions = new Map<string, ElectronFn>();
  readonly #call: CallOptions;
  readonly #home: RunHome;
  #bundle: LoadedBundle | undefined;
  readonly #output = new PendingOutput();
  /** Settled, not yet final (R1). */
  #answer: Answer | undefined;
  #loading: Promise<LoadedBundle> | undefined;
  #current: TaskRun | undefined;
  /** Sends what is known when the current task takes longer than a turn. */
  #announcing: NodeJS.Immediate | undefined;
  /** Sends what was printed right after other output: nothing else may be written for long. */
  #flushing: NodeJS.Timeout | undefined;
  #looping = false;
  #retiring = false;
  #lastFlush = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#functions.set(IDENTITY_ELECTRON, (value: unknown) => value);
    this.#call = {
      maxValueBytes: options.maxValueBytes,
      explain: (error, electron) => this.#bundle?.explainTdz(error, electron),
    };
    this.#home = {
      scratchRoot: options.scratchRoot,
      log: (run, stream, text) => this.write(run, stream, text),
      progress: (run, fraction, note) => this.progress(run, fraction, note),
    };
  }

  get current(): TaskRun | undefined {
    return this.#current;
  }

  message(message: ToRunner): void {
    switch (message.type) {
      case 'load':
        Object.assign(process.env, message.env);
        this.#loading = this.#load(message.bundleFile, message.argv);
        return;
      case 'index':
        void this.#index(message.electrons, message.captures);
        return;
      case 'run':
        this.#queue.push(message);
        return;
      case 'cancel':
        this.#cancel(message);
    }
  }

  /** After a chunk of messages. */
  work(): void {
    if (this.#looping || this.#queue.length === 0) return;
    this.#looping = true;
    this.#next();
  }

  write(run: TaskRun, stream: Stream, text: string): void {
    // at once when it has been quiet: what is printed right before a crash should not be lost
    if (this.#output.add(run, stream, text) || performance.now() - this.#lastFlush > BURST_MS) this.flushOutput();
    else if (this.#flushing === undefined)
      this.#flushing = setTimeout(() => {
        this.#flushing = undefined;
        this.flushOutput();
      }, BURST_MS);
  }

  progress(run: TaskRun, fraction: number, note: string): void {
    this.#send({ type: 'progress', task: run.task.task, fraction, note });
    this.flushOutput();
  }

  /** An error that nobody caught (R3). */
  lateError(cause: TaskRun | undefined, error: ErrorInfo): void {
    const run = cause ?? this.#answer?.run ?? this.#current;
    const answer = this.#answer;
    if (answer !== undefined && answer.run === run) {
      if (answer.finished.result.status === 'completed')
        answer.finished = { ...answer.finished, result: { status: 'failed', error } };
      return;
    }
    if (run !== undefined && run === this.#current && run.abandon !== undefined && !run.settled) {
      this.#retiring = true;
      run.abandon(error);
      return;
    }
    if (run !== undefined && run === this.#current) {
      run.escaped ??= error;
      return;
    }
    // its attempt was answered long ago, or it belongs to none
    const text = `${error.code}: ${error.stack ?? error.message}\n`;
    if (run !== undefined) this.write(run, 'stderr', text);
    else process.stderr.write(text);
  }

  /** Everything that is known, written before the process exits. */
  lastWords(): void {
    this.#collect();
    this.#options.link.flushSync();
  }

  flushOutput(): void {
    this.#lastFlush = performance.now();
    this.#output.take((run, stream, text) => this.#send({ type: 'log', task: run.task.task, stream, text }));
    this.#options.link.flush();
  }

  #send(message: FromRunner): void {
    this.#options.link.send(message);
  }

  async #load(bundleFile: string | undefined, argv: readonly string[]): Promise<LoadedBundle> {
    const bundle = await this.#options.load(bundleFile, argv);
    this.#bundle = bundle;
    this.#send(bundle.error === undefined ? { type: 'loaded' } : { type: 'load-failed', error: bundle.error });
    this.flushOutput();
    return bundle;
  }

  async #index(
    electrons: readonly string[],
    captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<void> {
    const errors = (await (await this.#loading)?.index(electrons, captures)) ?? [];
    this.#send({ type: 'indexed', errors });
    this.flushOutput();
  }

  #cancel({ task, code, reason }: Extract<ToRunner, { type: 'cancel' }>): void {
    if (this.#current?.task.task === task) {
      this.#current.cancel(code, reason);
      return;
    }
    const at = this.#queue.findIndex((queued) => queued.task === task);
    if (at === -1) return;
    this.#queue.splice(at, 1);
    const now = Date.now();
    const result = { status: 'cancelled' } as const;
    this.#send({ type: 'finished', task, startedAt: now, endedAt: now, scratchUsed: false, result });
    this.flushOutput();
  }

  /** Begins the next task, if there is one. */
  #next(): void {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      if (task.startBy === 0 || systemMs() <= task.startBy) {
        this.#run(task);
        return;
      }
      this.#send({ type: 'returned', tasks: [task.task] });
      this.#pass();
    }
    this.#looping = false;
  }

  /** A turn of the event loop after the function settled: rejections that nobody handled are known, and messages of the agent were heard (R1). */
  readonly #turned = (): void => {
    const stopped = this.#answer?.finished.result.status === 'cancelled';
    this.#collect();
    if (this.#retiring) {
      this.#retire();
      return;
    }
    if (stopped) {
      // the agent ends this process (L4 of lane.ts): what began here would be killed with it, and done again
      this.flushOutput();
      return;
    }
    this.#pass();
    this.#next();
  };

  /** Sends what is known, or saves it before the next task begins (R2). Before the last one it is sent: that may take long. */
  #pass(): void {
    if (this.#queue.length < 2 || performance.now() - this.#lastFlush > BURST_MS) this.flushOutput();
    else this.#options.link.save();
  }

  #run(task: RunTask): void {
    const run = new TaskRun(task, this.#home);
    this.#current = run;
    const startedAt = Date.now();
    const began = performance.now();
    const fn = this.#functions.get(functionKey(task));
    const result = fn === undefined ? this.#findAndCall(run) : callElectron(run, fn, this.#call);
    if (!(result instanceof Promise)) {
      this.#settled(run, result, startedAt, began);
      return;
    }
    this.#announcing = setImmediate(() => this.flushOutput());
    void result.then((late) => this.#settled(run, late, startedAt, began));
  }

  #settled(run: TaskRun, result: RunFinished['result'], startedAt: number, began: number): void {
    clearImmediate(this.#announcing);
    this.#announcing = undefined;
    const { task, escaped, scratchUsed } = run;
    const finished: RunFinished = {
      type: 'finished',
      task: task.task,
      startedAt,
      endedAt: startedAt + (performance.now() - began),
      scratchUsed,
      result: escaped !== undefined && result.status === 'completed' ? { status: 'failed', error: escaped } : result,
    };
    this.#answer = { run, finished };
    this.#current = undefined;
    setImmediate(this.#turned);
  }

  async #findAndCall(run: TaskRun): Promise<RunFinished['result']> {
    const fn = await this.#find(run.task);
    return typeof fn === 'function' ? callElectron(run, fn, this.#call) : { status: 'failed', error: fn };
  }

  async #find(task: RunTask): Promise<ElectronFn | ErrorInfo> {
    const { electron, hooks } = task;
    const bundle = await this.#loading;
    const found = await bundle?.find(electron);
    if (found === undefined)
      return { code: 'ELECTRON_NOT_FOUND', message: `electron '${electron}' was asked for before any code was loaded` };
    if ('error' in found) return found.error;
    let { fn } = found;
    if (hooks !== undefined) {
      const around = await bundle?.find(hooks);
      if (around === undefined) return noHooks(electron, hooks);
      if ('error' in around)
        return around.error.code === 'ELECTRON_NOT_FOUND' ? noHooks(electron, hooks) : around.error;
      const hooked: unknown = Reflect.apply(around.fn, undefined, [fn, electron]);
      if (!isElectronFn(hooked)) return noHooks(electron, hooks);
      fn = hooked;
    }
    this.#functions.set(functionKey(task), fn);
    return fn;
  }

  #collect(): void {
    // output before the answer that it belongs to
    this.#output.take((run, stream, text) => this.#send({ type: 'log', task: run.task.task, stream, text }));
    if (this.#answer !== undefined) this.#send(this.#answer.finished);
    this.#answer = undefined;
  }

  #retire(): void {
    const tasks = this.#queue.splice(0).map((task) => task.task);
    this.#send({ type: 'returned', tasks });
    this.#send({ type: 'retiring' });
    this.flushOutput();
    process.exit(0);
  }
}

const functionKey = ({ electron, hooks }: RunTask): string =>
  hooks === undefined ? electron : `${electron}\0${hooks}`;
const isElectronFn = (x: unknown): x is ElectronFn => typeof x === 'function';
const noHooks = (electron: string, hooks: string): ErrorInfo => ({
  code: 'ELECTRON_NOT_FOUND',
  message:
    `lattice '${hooks.slice(HOOKING.length)}', whose hooks run around electron '${electron}', was not defined when its module was loaded on the agent. ` +
    'It has to be created at the top level of a module, not inside a function that only your script runs.',
});
