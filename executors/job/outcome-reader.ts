/**
 * Follows what a job's runner writes about it: each look at the file goes on where the last one ended (F2 of job-folder.ts). What had no room there is looked for when it has ended.
 * Not here: when it looks (job-run.ts).
 */
import { join } from 'node:path';
import type { FromRunner } from '../runner/messages.ts';
import { FrameReader } from '../runner/frames.ts';
import { readFromRunner } from '../runner/wire-runner.ts';
import { END_FILE, OUTCOME_FILE } from '../runner/job-files.ts';
import { readFrom } from './job-folder.ts';

const CHUNK_BYTES = 256 * 1024;

export class OutcomeReader {
  readonly #dir: string;
  readonly #each: (message: FromRunner) => void;
  readonly #frames: FrameReader<FromRunner>;
  #at = 0;

  constructor(dir: string, each: (message: FromRunner) => void) {
    this.#dir = dir;
    this.#each = each;
    this.#frames = new FrameReader(readFromRunner, each);
  }

  /** Raises BAD_MESSAGE when the file holds what no runner writes. */
  read(): void {
    this.#at = feed(this.#dir, OUTCOME_FILE, this.#at, this.#frames);
  }

  /** The same, for one whose process is gone. */
  readToEnd(): void {
    this.read();
    feed(this.#dir, END_FILE, 0, new FrameReader(readFromRunner, this.#each));
  }
}

/** From byte `at` on; gives how far it came. */
function feed(dir: string, name: string, at: number, frames: FrameReader<FromRunner>): number {
  for (;;) {
    const bytes = readFrom(join(dir, name), at, CHUNK_BYTES);
    if (bytes.length === 0) return at;
    at += bytes.length;
    frames.feed(bytes);
  }
}
