/**
 * What a job leaves in its folder while it runs, followed by its agent: what its runner says of it, and what was written past that. A look reads a piece of it; what is more is read in the next turns.
 * Not here: what it means (job-run.ts), when it is looked at (job-executor.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { FromRunner } from '../runner/messages.ts';
import { OutcomeReader } from './outcome-reader.ts';
import { OutputFiles } from './output-files.ts';

export interface TraceListener {
  heard(message: FromRunner): void;
  /** `skipped`: characters before it that are not told. */
  wrote(stream: Stream, text: string, skipped: number): void;
  /** The runner's file holds what no runner writes. */
  damaged(why: string): void;
  /** Another turn may read on. */
  more(): void;
}

export class JobTraces {
  readonly #listener: TraceListener;
  readonly #outcome: OutcomeReader;
  readonly #output: OutputFiles;
  #behind = false;
  #planned = false;

  constructor(dir: string, listener: TraceListener) {
    this.#listener = listener;
    this.#outcome = new OutcomeReader(dir, (message) => listener.heard(message));
    this.#output = new OutputFiles(dir, (stream, text, skipped) => listener.wrote(stream, text, skipped));
  }

  /** There is more than was read: `more` is called before long. */
  get behind(): boolean {
    return this.#behind;
  }

  /** Reads on; never throws: what the disk can't give now it may give at the next look. */
  read(): void {
    this.#behind = false;
    try {
      this.#behind = this.#outcome.read();
    } catch (error) {
      if (error instanceof PolaronError) this.#listener.damaged(error.message);
    }
    this.readOutput();
    if (!this.#behind || this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#listener.more();
    });
  }

  /** Of one whose process is gone: its last message may stand elsewhere. What can't be read is lost. */
  readToEnd(): void {
    try {
      this.#outcome.readToEnd();
    } catch {
      // what it says is lost
    }
    this.readOutput();
  }

  /** What was written past the runner, up to now. */
  readOutput(): void {
    try {
      this.#output.read();
    } catch {
      // it may be there at the next look
    }
  }
}
