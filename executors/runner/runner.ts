/**
 * The runner: takes tasks in order, runs one at a time, answers each once. Batches answers while tasks are short.
 * Invariants: R1 an answer is final only after the turn in which its function settled, so that a rejection nobody handled still decides it;
 * R2 all earlier answers are sent, or saved in the outbox, before a task starts, and then it isn't started after its `startBy`: so the agent
 * knows which task runs in a process that is stuck or dead, and which never will; R3 after an error escaped from a function that is still at
 * work the process takes no more: it answers, gives the rest back, and ends.
 */
import { IDENTITY_ELECTRON } from '../../model/graph.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { callElectron, type CallOptions } from './call.ts';
import type { Link } from './link.ts';
import type { ElectronFn, LoadedBundle } from './loader.ts';
import type { Stream } from './log-buffer.ts';
import type { FromRunner, RunFinished, RunTask, ToRunner } from './messages.ts';
import { PendingOutput } from './output.ts';
import { systemMs } from './system-clock.ts';
import { TaskRun } from './task-run.ts';

/** Answers wait at most about this long while more tasks follow. */
const BURST_MS = 1;

export interface RunnerOptions {
  readonly link: Link;
  readonly load: (bundleFile: string | undefined, argv: readonly string[]) => Promise<LoadedBundle>;
  readonly maxValueBytes: number;
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
  #bundle: LoadedBundle | undefined;
  readonly #output = new PendingOutput();
  /** Settled, not yet final (R1). */
  #answer: Answer | undefined;
  #loading: Promise<LoadedBundle> | undefined;
  #current: TaskRun | undefined;
  #announced: TaskRun | undefined;
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
  }

  get current(): TaskRun | undefined {
    return this.#current;
  }

  message(message: ToRunner): void {
    switch (message.type) {
      case 'load':
        this.#loading = this.#load(message.bundleFile, message.argv);
        return;
      case 'index':
        void this.#index(message.electrons, message.captures);
        return;
      case 'run':
        this.#queue.push(message);
        return;
      case 'cancel':
        this.#cancel(message.task, message.reason);
    }
  }

  /** After a chunk of messages. */
  work(): void {
    if (this.#looping || this.#queue.length === 0) return;
    this.#looping = true;
    void this.#loop();
  }

  write(run: TaskRun, stream: Stream, text: string): void {
    // at once when it has been quiet: what is printed right before a crash should not be lost
    if (this.#output.add(run, stream, text) || performance.now() - this.#lastFlush > BURST_MS) this.flushOutput();
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
    this.#announce();
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

  #cancel(task: string, reason: string): void {
    if (this.#current?.task.task === task) {
      this.#current.cancel(reason);
      return;
    }
    const at = this.#queue.findIndex((queued) => queued.task === task);
    if (at === -1) return;
    this.#queue.splice(at, 1);
    const now = Date.now();
    this.#send({ type: 'finished', task, startedAt: now, endedAt: now, result: { status: 'cancelled' } });
    this.flushOutput();
  }

  async #loop(): Promise<void> {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      if (task.startBy !== undefined && systemMs() > task.startBy) {
        this.#send({ type: 'returned', tasks: [task.task] });
      } else {
        await this.#run(task);
        // a turn of the event loop: rejections that nobody handled are known after it, and messages of the agent are heard
        await turn();
      }
      this.#collect();
      if (this.#retiring) return this.#retire();
      if (this.#queue.length === 0 || performance.now() - this.#lastFlush > BURST_MS) this.flushOutput();
      else this.#options.link.save();
    }
    this.#looping = false;
    // what came while the last answer was written
    this.work();
  }

  async #run(task: RunTask): Promise<void> {
    const run = new TaskRun(task, {
      log: (one, stream, text) => this.write(one, stream, text),
      progress: (one, x, note) => this.progress(one, x, note),
    });
    this.#current = run;
    const announcing = setImmediate(() => {
      this.#announce();
      this.flushOutput();
    });
    const startedAt = Date.now();
    const began = performance.now();
    const fn = this.#functions.get(task.electron) ?? (await this.#find(task.electron));
    let result: RunFinished['result'] =
      typeof fn === 'function' ? await callElectron(run, fn, this.#call) : { status: 'failed', error: fn };
    clearImmediate(announcing);
    if (run.escaped !== undefined && result.status === 'completed') result = { status: 'failed', error: run.escaped };
    const endedAt = startedAt + (performance.now() - began);
    const finished: RunFinished = { type: 'finished', task: task.task, startedAt, endedAt, result };
    this.#answer = { run, finished: run.scratchUsed ? { ...finished, scratchUsed: true } : finished };
    this.#current = undefined;
  }

  async #find(electron: string): Promise<ElectronFn | ErrorInfo> {
    const found = await (await this.#loading)?.find(electron);
    if (found === undefined)
      return { code: 'ELECTRON_NOT_FOUND', message: `electron '${electron}' was asked for before any code was loaded` };
    if ('error' in found) return found.error;
    this.#functions.set(electron, found.fn);
    return found.fn;
  }

  /** Says which task runs, once, so that a death of the process is put down to the right one. */
  #announce(): void {
    if (this.#current === undefined || this.#announced === this.#current) return;
    this.#announced = this.#current;
    this.#send({ type: 'started', task: this.#current.task.task });
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

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
