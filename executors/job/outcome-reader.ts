/** Follows what a job's runner writes about it: each look at the file goes on where the last one ended (F2 of job-folder.ts). Not here: when it looks (job-run.ts). */
import type { FromRunner } from '../runner/messages.ts';
import { FrameReader } from '../runner/frames.ts';
import { readFromRunner } from '../runner/wire-runner.ts';
import { readOutcome } from './job-folder.ts';

const CHUNK_BYTES = 256 * 1024;

export class OutcomeReader {
  readonly #dir: string;
  readonly #frames: FrameReader<FromRunner>;
  #at = 0;

  constructor(dir: string, each: (message: FromRunner) => void) {
    this.#dir = dir;
    this.#frames = new FrameReader(readFromRunner, each);
  }

  /** Raises BAD_MESSAGE when the file holds what no runner writes. */
  read(): void {
    for (;;) {
      const bytes = readOutcome(this.#dir, this.#at, CHUNK_BYTES);
      if (bytes.length === 0) return;
      this.#at += bytes.length;
      this.#frames.feed(bytes);
    }
  }
}
