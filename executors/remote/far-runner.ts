/**
 * One runner on the bridge's side: what it says and prints goes to the agent, in order, and a large result goes before the message that names it.
 * Invariants: F1 what a runner sends waits while one of its results is on the way, and so does the runner's own writing (its pipes are paused);
 * F2 an answer that was read from the outbox isn't passed on a second time; F3 its folder is gone when its exit has been told.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mostResidentBytes } from '../process/memory-limit.ts';
import { residentBytesOfTree } from '../process/process-table.ts';
import type { RunnerExit, RunnerListener, RunnerProcess, RunnerStart, StartRunner } from '../process/runner-process.ts';
import { FrameBatch, FrameReader } from '../runner/frames.ts';
import { systemMs } from '../runner/system-clock.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { FromRunner, RunFinished, ToRunner } from '../runner/messages.ts';
import { readToRunner, writeFromRunner } from '../runner/wire-runner.ts';
import type { FrameStream } from './frame-stream.ts';
import { letGoFirst, memoryKills } from './oom.ts';
import { FRAME, PIECE_BYTES } from './wire.ts';

/** What was asked for while a result is on the way is looked at again after this. */
const HEAR_AGAIN_MS = 5;

type Item =
  | { readonly type: 'message'; readonly message: FromRunner }
  | { readonly type: 'heard' }
  | { readonly type: 'leaving' }
  | { readonly type: 'garbled'; readonly message: string }
  | { readonly type: 'exit'; readonly exit: RunnerExit };

export interface FarRunnerOptions {
  readonly number: number;
  readonly stream: FrameStream;
  /** Of this runner alone; made here. */
  readonly folder: string;
  readonly start: Omit<RunnerStart, 'outbox' | 'scratchRoot'>;
  readonly run: StartRunner;
  readonly gone: () => void;
}

export class FarRunner implements RunnerListener {
  readonly #options: FarRunnerOptions;
  readonly #process: RunnerProcess;
  readonly #scratch: string;
  readonly #batch = new FrameBatch(writeFromRunner);
  readonly #reader: FrameReader<ToRunner>;
  readonly #items: Item[] = [];
  /** Answers that were read from the outbox (F2). */
  readonly #answered = new Set<string>();
  #fromOutbox = false;
  #planned = false;
  #working = false;
  #overMemory = false;
  /** Before it began. */
  readonly #memoryKills = memoryKills();
  /** The stream is full. */
  #held = false;

  /** Raises the system's error when the folder can't be made. */
  constructor(options: FarRunnerOptions) {
    this.#options = options;
    const { folder, start, run } = options;
    this.#scratch = join(folder, 'scratch');
    mkdirSync(this.#scratch, { recursive: true, mode: 0o700 });
    this.#reader = new FrameReader(readToRunner, (message) => this.#process.send(message));
    this.#process = run({ ...start, outbox: join(folder, 'outbox'), scratchRoot: this.#scratch }, this);
    letGoFirst(this.#process.pid);
  }

  /** Frames for it. Raises BAD_MESSAGE. */
  feed(frames: Buffer): void {
    // a copy: the messages keep views of it until they are written
    this.#reader.feed(Buffer.from(frames));
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** All that it has sent or saved until that moment, then `heard`. */
  hear(after: number): void {
    const left = after - systemMs();
    if (left >= 0) setTimeout(() => this.hear(after), Math.ceil(left) + 1);
    // what is in its pipe already is read meanwhile
    else setImmediate(() => this.#hearNow());
  }

  #hearNow(): void {
    if (this.#held || this.#working) {
      void this.#options.stream.room().then(() => setTimeout(() => this.#hearNow(), HEAR_AGAIN_MS));
      return;
    }
    this.#readOutbox();
    this.#add({ type: 'heard' });
  }

  watchMemory(): void {
    const { memoryMb } = this.#options.start;
    if (memoryMb === undefined || this.#overMemory) return;
    if (residentBytesOfTree(this.#process.pid) <= mostResidentBytes(memoryMb)) return;
    this.#overMemory = true;
    this.kill('SIGKILL');
  }

  /** While the agent doesn't keep up it writes into full pipes. */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#process.pause?.();
  }

  release(): void {
    this.#held = false;
    if (!this.#working) this.#process.resume?.();
  }

  message(message: FromRunner): void {
    if (message.type === 'finished') {
      const key = keyOf(message);
      if (this.#answered.has(key)) {
        if (!this.#fromOutbox) this.#answered.delete(key);
        return;
      }
      if (this.#fromOutbox) this.#answered.add(key);
    }
    this.#items.push({ type: 'message', message });
  }

  batch(): void {
    this.#plan();
  }

  output(stream: Stream, text: string): void {
    if (text === '') return;
    const kind = stream === 'stderr' ? FRAME.stderr : FRAME.stdout;
    this.#options.stream.send(kind, this.#options.number, Buffer.from(text));
    this.#pressed();
  }

  garbled(error: unknown): void {
    this.#add({ type: 'garbled', message: error instanceof Error ? error.message : String(error) });
  }

  leaving(): void {
    this.#add({ type: 'leaving' });
  }

  exit(exit: RunnerExit): void {
    if (exit.signal === 'SIGKILL' && (memoryKills() ?? 0) > (this.#memoryKills ?? 0)) this.#overMemory = true;
    this.#readOutbox();
    this.#add({ type: 'exit', exit });
  }

  #readOutbox(): void {
    this.#fromOutbox = true;
    this.#process.readOutbox(() => undefined);
    this.#fromOutbox = false;
  }

  #add(item: Item): void {
    this.#items.push(item);
    this.#plan();
  }

  /** After this turn: what it printed before its answer is in the other pipes, and is read first. */
  #plan(): void {
    if (this.#planned || this.#working) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      if (item.type === 'message') {
        if (hasFile(item.message)) await this.#passResult(item.message);
        this.#batch.add(item.message);
        if (item.message.type === 'finished' && item.message.scratchUsed) {
          this.#flush();
          await this.#clear(item.message.task);
        }
        continue;
      }
      this.#flush();
      await this.#tell(item);
    }
    this.#flush();
    this.#working = false;
    if (!this.#held) this.#process.resume?.();
  }

  async #tell(item: Exclude<Item, { type: 'message' }>): Promise<void> {
    const { stream, number: runner, folder, gone } = this.#options;
    if (item.type === 'garbled') return stream.tell({ type: 'garbled', runner, message: item.message });
    if (item.type !== 'exit') return stream.tell({ type: item.type, runner });
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    const { code, signal, error } = item.exit;
    stream.tell({
      type: 'exit',
      runner,
      ...(code === null ? {} : { code }),
      ...(signal === null ? {} : { signal }),
      ...(error === undefined ? {} : { error }),
      overMemory: this.#overMemory,
    });
    gone();
  }

  #flush(): void {
    if (this.#batch.empty) return;
    const { stream, number } = this.#options;
    for (const part of this.#batch.take()) stream.send(FRAME.runner, number, part);
    this.#pressed();
  }

  #pressed(): void {
    const { stream } = this.#options;
    if (!stream.full || this.#held) return;
    this.hold();
    void stream.room().then(() => this.release());
  }

  /** The file is the agent's from now on (F1). */
  async #passResult({ task, result: { file: path } }: WithFile): Promise<void> {
    this.#flush();
    this.#process.pause?.();
    const { stream, number: runner } = this.#options;
    let error: ErrorInfo | undefined;
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        stream.tell({ type: 'result', runner, task, file: path, size });
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        for (let at = 0; at < size && !stream.over; ) {
          const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, at);
          if (bytesRead === 0) throw new Error(`it ends after ${at} of ${size} bytes`);
          at += bytesRead;
          stream.send(FRAME.result, runner, Buffer.from(piece.subarray(0, bytesRead)));
          await stream.room();
        }
      } finally {
        await file.close();
      }
      await rm(path, { force: true });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      error = { code: 'VALUE_MISSING', message: `the result can't be read where the electron ran: ${why}` };
      stream.tell({ type: 'result', runner, task, file: path, size: 0 });
    }
    stream.tell({ type: 'result-end', runner, ...(error === undefined ? {} : { error }) });
  }

  /** The scratch folders of a task that has ended. */
  async #clear(task: string): Promise<void> {
    const mine = readdirSync(this.#scratch).filter((name) => name.startsWith(`${task}.`));
    await Promise.all(mine.map((name) => rm(join(this.#scratch, name), { recursive: true, force: true }))).catch(
      () => undefined, // it goes with the runner
    );
  }
}

const keyOf = ({ task, startedAt, endedAt }: RunFinished): string => `${task}|${startedAt}|${endedAt}`;

type WithFile = RunFinished & { readonly result: { readonly status: 'completed'; readonly file: string } };
const hasFile = (message: FromRunner): message is WithFile =>
  message.type === 'finished' && message.result.status === 'completed' && message.result.file !== undefined;
