/**
 * A runner elsewhere, as its pool sees it: the same as one of this machine. What names a file of this machine waits until the bridge has the file, and what comes after it waits behind it.
 * Invariants: M1 messages are sent in the order in which they were given, but a cancel overtakes a task whose inputs are still on the way: that one is answered here;
 * M2 `exit` comes exactly once, whether the runner, the bridge or the way to it has ended. Not here: the stream (bridge-link.ts), who gets what (process/pool.ts).
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { asPolaronError } from '../../model/errors.ts';
import type { ErrorInfo, Token } from '../../model/outcome.ts';
import { hearFrames } from '../process/runner-process.ts';
import type { RunnerExit, RunnerListener, RunnerProcess, RunnerStart, StartRunner } from '../process/runner-process.ts';
import { FrameBatch, FrameReader } from '../runner/frames.ts';
import { systemMs } from '../runner/system-clock.ts';
import type { FromRunner, RunFinished, RunTask, ToRunner } from '../runner/messages.ts';
import { scratchDirOf } from '../runner/scratch-dir.ts';
import { readFromRunner, writeToRunner } from '../runner/wire-runner.ts';
import type { BridgeLink, LinkedRunner } from './bridge-link.ts';
import type { LentFarFile } from './far-files.ts';
import { IncomingResults } from './incoming-results.ts';
import { FRAME, type FromBridge } from './wire.ts';

export interface RemoteRunnersOptions {
  /** The bridge at a place, begun if there is none. Rejects with why there can't be one. */
  readonly link: (place: string) => BridgeLink | Promise<BridgeLink>;
  /** Variables of user code, over those of the place. */
  readonly env: (place: string) => Readonly<Record<string, string>>;
}

/** The first moment of any clock. */
const LONG_AGO = Number.MIN_VALUE;

/** Starts runners at the places that their pool names. */
export function remoteRunners({ link, env }: RemoteRunnersOptions): StartRunner {
  return (start, listener) => new RemoteRunner(start, listener, () => link(start.place), env(start.place));
}

class RemoteRunner implements RunnerProcess, LinkedRunner {
  /** None of this machine. */
  readonly pid = 0;
  readonly #start: RunnerStart;
  readonly #listener: RunnerListener;
  readonly #batch = new FrameBatch(writeToRunner);
  readonly #reader: FrameReader<FromRunner>;
  readonly #results: IncomingResults;
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  readonly #waiting: ToRunner[] = [];
  /** Of what was handed over and hasn't been answered. */
  readonly #tokens = new Map<string, Token>();
  /** Files that a task reads; those of '' are its code. */
  readonly #lent = new Map<string, LentFarFile[]>();
  #link: BridgeLink | undefined;
  #number = 0;
  #working = false;
  #planned = false;
  #over = false;
  #left = false;
  /** Of all that it was handed ahead, by the clock over there. */
  #latestStart = 0;
  #hearing: (() => void)[] = [];

  constructor(
    start: RunnerStart,
    listener: RunnerListener,
    link: () => BridgeLink | Promise<BridgeLink>,
    env: Readonly<Record<string, string>>,
  ) {
    this.#start = start;
    this.#listener = listener;
    this.#reader = new FrameReader(readFromRunner, (message) => this.#hear(message));
    this.#results = new IncomingResults((task) => this.#resultFile(task));
    void this.#open(link, env);
  }

  residentBytes(): number {
    return 0; // the bridge looks
  }

  send(message: ToRunner): void {
    if (this.#over) return;
    if (message.type === 'cancel' && this.#cancelsWaiting(message.task)) return;
    if (message.type === 'run') this.#tokens.set(message.task, message.token);
    this.#waiting.push(message);
    if (!this.#working && this.#link !== undefined) void this.#work(this.#link);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#over) return;
    if (this.#link === undefined) this.#exit({ code: null, signal });
    else this.#link.stream.tell({ type: 'kill', runner: this.#number, signal });
  }

  readOutbox(done: () => void): void {
    if (this.#over || this.#link === undefined) return done();
    this.#hearing.push(done);
    this.#link.stream.tell({ type: 'hear', runner: this.#number, after: this.#latestStart });
  }

  frames(bytes: Buffer): void {
    hearFrames(bytes, this.#reader, this.#listener);
  }

  printed(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    this.#listener.output(stream, this.#decoders[stream].write(bytes));
  }

  piece(bytes: Buffer): void {
    this.#results.piece(bytes);
  }

  told(message: Extract<FromBridge, { readonly runner: number }>): void {
    switch (message.type) {
      case 'result':
        return this.#results.begin(message.task, message.file, message.size, this.#start.maxValueBytes);
      case 'result-end':
        return this.#results.end(message.error);
      case 'heard':
        return this.#hearing.shift()?.();
      case 'garbled':
        return this.#listener.garbled(message.message);
      case 'leaving':
        return this.#leave();
      case 'exit': {
        const { code, signal, overMemory, error } = message;
        this.#exit({
          code: code ?? null,
          signal: signal ?? null,
          overMemory,
          ...(error === undefined ? {} : { error }),
        });
      }
    }
  }

  lost(error: ErrorInfo): void {
    this.#exit({ code: null, signal: null, error });
  }

  async #open(link: () => BridgeLink | Promise<BridgeLink>, env: Readonly<Record<string, string>>): Promise<void> {
    let opened: BridgeLink;
    try {
      opened = await link();
    } catch (cause) {
      const { code, message } = asPolaronError(cause, 'EXECUTOR_FAILED');
      return this.#exit({ code: null, signal: null, error: { code, message } });
    }
    if (this.#over) return;
    this.#link = opened;
    const runner = (this.#number = opened.add(this));
    const { memoryMb, maxValueBytes, agent } = this.#start;
    const limits = memoryMb === undefined ? { maxValueBytes } : { memoryMb, maxValueBytes };
    opened.stream.tell({ type: 'start', runner, ...limits, agent, env });
    await this.#work(opened);
  }

  /** In order (M1). */
  async #work(link: BridgeLink): Promise<void> {
    this.#working = true;
    for (let message = this.#waiting[0]; message !== undefined && !this.#over; message = this.#waiting[0]) {
      const placed = this.#placed(message, link) ?? (await this.#sentFirst(message, link));
      // it may have been cancelled meanwhile
      const wanted = this.#waiting[0] === message;
      if (wanted) this.#waiting.shift();
      if (placed === undefined || this.#over) continue;
      if (wanted) this.#batch.add(placed);
      else if (placed.type === 'run') this.#giveBack(placed.task);
      this.#plan(link);
    }
    this.#working = false;
  }

  /** As it is sent; undefined when files have to go first. */
  #placed(message: ToRunner, link: BridgeLink): ToRunner | undefined {
    if (message.type === 'load') return message.bundleFile === undefined ? message : undefined;
    if (message.type !== 'run') return message;
    for (const input of message.inputs) if (!(input instanceof Uint8Array)) return undefined;
    return this.#timed(message, link);
  }

  #timed(message: RunTask, link: BridgeLink): RunTask {
    if (message.startBy === 0) return message;
    // what is late already must not be saved by a clock that runs behind
    const startBy = systemMs() > message.startBy ? LONG_AGO : link.there(message.startBy);
    this.#latestStart = Math.max(this.#latestStart, startBy);
    return { ...message, startBy };
  }

  /** The same when its files are there; undefined when they can't be: it has been answered. */
  async #sentFirst(message: ToRunner, link: BridgeLink): Promise<ToRunner | undefined> {
    try {
      if (message.type === 'load') {
        const [code] = await this.#lend('', [message.bundleFile ?? ''], true, link);
        return { ...message, bundleFile: code?.path ?? '' };
      }
      if (message.type !== 'run') return message;
      const files = message.inputs.flatMap((input) => (input instanceof Uint8Array ? [] : [input.file]));
      const lent = await this.#lend(message.task, files, false, link);
      let next = 0;
      const inputs = message.inputs.map((input) => {
        if (input instanceof Uint8Array) return input;
        return { file: lent[next++]?.path ?? '' };
      });
      return this.#timed({ ...message, inputs }, link);
    } catch (cause) {
      const { code, message: why } = asPolaronError(cause, 'VALUE_MISSING');
      if (!this.#over && this.#waiting[0] === message) this.#refuse(message, { code, message: why });
      return undefined;
    }
  }

  async #lend(task: string, files: readonly string[], code: boolean, link: BridgeLink): Promise<LentFarFile[]> {
    const all = await Promise.allSettled(files.map((file) => link.files.lend(file, code)));
    const lent = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const failed = all.find((each) => each.status === 'rejected');
    if (failed !== undefined || this.#over) for (const each of lent) each.giveBack();
    else this.#lent.set(task, lent);
    if (failed !== undefined) throw failed.reason;
    return lent;
  }

  #refuse(message: ToRunner, error: ErrorInfo): void {
    if (message.type === 'load') {
      const text = `the code of this dispatch can't be brought to where it is to run: ${error.message}`;
      this.#listener.message({ type: 'load-failed', error: { ...error, message: text } });
    } else if (message.type === 'run') {
      const text = `electron "${message.electron}": an input can't be brought to where it is to run: ${error.message}`;
      this.#answer(message.task, { status: 'failed', error: { ...error, message: text } });
    }
    this.#listener.batch();
  }

  /** A task whose inputs are still on the way needn't go there. */
  #cancelsWaiting(task: string): boolean {
    const at = this.#waiting.findIndex((message) => message.type === 'run' && message.task === task);
    if (at === -1) return false;
    this.#waiting.splice(at, 1);
    queueMicrotask(() => {
      if (this.#over) return;
      this.#answer(task, { status: 'cancelled' });
      this.#listener.batch();
    });
    return true;
  }

  #answer(task: string, result: RunFinished['result']): void {
    this.#giveBack(task);
    const now = Date.now();
    this.#listener.message({ type: 'finished', task, startedAt: now, endedAt: now, scratchUsed: false, result });
  }

  #hear(message: FromRunner): void {
    if (message.type === 'finished') {
      this.#giveBack(message.task);
      const placed = this.#results.placed(message);
      // the scratch folder that it has used is over there, where it is removed; one here holds its large result
      const scratchUsed = placed.result.status === 'completed' && placed.result.file !== undefined;
      this.#listener.message({ ...placed, scratchUsed });
      return;
    }
    if (message.type === 'returned') for (const task of message.tasks) this.#giveBack(task);
    this.#listener.message(message);
  }

  /** In a folder that the pool removes, whatever becomes of the result. */
  #resultFile(task: string): string | undefined {
    const token = this.#tokens.get(task);
    if (token === undefined) return undefined;
    const dir = scratchDirOf(this.#start.scratchRoot, task, token);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return join(dir, 'result');
  }

  #giveBack(task: string): void {
    this.#tokens.delete(task);
    for (const file of this.#lent.get(task) ?? []) file.giveBack();
    this.#lent.delete(task);
  }

  #plan(link: BridgeLink): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (this.#over || this.#batch.empty) return;
      for (const part of this.#batch.take()) link.stream.send(FRAME.runner, this.#number, part);
    });
  }

  #leave(): void {
    if (!this.#left) this.#listener.leaving();
    this.#left = true;
  }

  #exit(exit: RunnerExit): void {
    if (this.#over) return;
    this.#over = true;
    this.#link?.remove(this.#number);
    this.#results.abandon();
    for (const task of this.#lent.keys()) this.#giveBack(task);
    this.#waiting.length = 0;
    this.#hearing = [];
    this.#leave();
    // its pool may not hear of the end while it is still at the start
    queueMicrotask(() => this.#listener.exit(exit));
  }
}
