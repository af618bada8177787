/**
 * A thread as its pool sees it: a runner like a process of its own. Not here: the process around it (thread-host.ts), who gets what (process/pool.ts).
 * Invariant: T1 one that was told to end and hasn't within END_MS is stuck in native code: its host ends it with the process.
 */
import { StringDecoder } from 'node:string_decoder';
import type { Timer } from '../../model/clock.ts';
import { hearFrames } from '../process/runner-process.ts';
import type { RunnerExit, RunnerListener, RunnerProcess, RunnerStart } from '../process/runner-process.ts';
import { FrameBatch, FrameReader } from '../runner/frames.ts';
import type { FromRunner, ToRunner } from '../runner/messages.ts';
import { readFromRunner, writeToRunner } from '../runner/wire-runner.ts';

/** JavaScript ends within a tenth of this, even in a busy loop; on a machine that is busy itself, neighbours are not to suffer for it. */
export const END_MS = 1_000;

/** What a thread asks of its host. */
export interface ThreadSeat {
  readonly pid: number;
  send(frames: Uint8Array): void;
  /** Ends it where it stands. */
  end(): void;
  /** It has not ended (T1). */
  stuck(): void;
}

export class ThreadRunner implements RunnerProcess {
  readonly #start: RunnerStart;
  readonly #listener: RunnerListener;
  readonly #seat: ThreadSeat;
  readonly #batch = new FrameBatch(writeToRunner);
  readonly #reader: FrameReader<FromRunner>;
  /** Handed over and not answered, in order; the first one runs. */
  readonly #open = new Set<string>();
  /** It evaluates code of a bundle, outside of electrons. */
  #evaluates = true;
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  #planned = false;
  #ending: Timer | undefined;
  #over = false;

  constructor(start: RunnerStart, listener: RunnerListener, seat: ThreadSeat) {
    this.#start = start;
    this.#listener = listener;
    this.#seat = seat;
    this.#reader = new FrameReader(readFromRunner, (message) => this.#hear(message));
  }

  get pid(): number {
    return this.#seat.pid;
  }

  /** The task that runs. */
  get runs(): string | undefined {
    const [first] = this.#open;
    return first;
  }

  /** User code is at work in it. */
  get active(): boolean {
    return this.#evaluates || this.#open.size > 0;
  }

  /** None that could be told from its neighbours': `memoryMb` bounds its heap only. */
  residentBytes(): number {
    return 0;
  }

  send(message: ToRunner): void {
    if (this.#over) return;
    if (message.type === 'run') this.#open.add(message.task);
    else if (message.type === 'load' || message.type === 'index') this.#evaluates = true;
    this.#batch.add(message);
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (!this.#over) for (const part of this.#batch.take()) this.#seat.send(part);
    });
  }

  /** Whatever the signal: a thread gets none. */
  kill(): void {
    if (this.#over || this.#ending !== undefined) return;
    this.#seat.end();
    this.#awaitEnd();
  }

  /** Another thread of its process has just ended: they end one after the other, so that this one's time begins anew. */
  neighbourEnded(): void {
    if (this.#over || this.#ending === undefined) return;
    this.#ending.cancel();
    this.#awaitEnd();
  }

  #awaitEnd(): void {
    this.#ending = this.#start.clock.after(END_MS, () => this.#seat.stuck());
  }

  /** It saves nothing: what it has said is with its host when it goes on. */
  readOutbox(done: () => void): void {
    done();
  }

  frames(bytes: Buffer): void {
    hearFrames(bytes, this.#reader, this.#listener);
  }

  /** Past its capture, in pieces that may end within a character. */
  wrote(stream: 'stdout' | 'stderr', piece: Buffer): void {
    const text = this.#decoders[stream].write(piece);
    if (text !== '') this.printed(stream, text);
  }

  printed(stream: 'stdout' | 'stderr', text: string): void {
    this.#listener.output(stream, text);
  }

  /** It takes nothing more. */
  leaving(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ending?.cancel();
    this.#listener.leaving();
  }

  /** After `leaving`, when what it had started is gone. */
  exit(exit: RunnerExit): void {
    this.#listener.exit(exit);
  }

  #hear(message: FromRunner): void {
    if (message.type === 'finished') this.#open.delete(message.task);
    else if (message.type === 'returned') for (const task of message.tasks) this.#open.delete(task);
    else if (message.type === 'loaded' || message.type === 'indexed' || message.type === 'load-failed')
      this.#evaluates = false;
    this.#listener.message(message);
  }
}
