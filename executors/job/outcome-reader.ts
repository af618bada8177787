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
/** Read at one look: what an electron writes without end must not hold up its agent. */
const MOST_BYTES = 1024 * 1024;

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

  /** True: there is more, for another turn. Raises BAD_MESSAGE when the file holds what no runner writes. */
  read(): boolean {
    const before = this.#at;
    this.#at = feed(this.#dir, OUTCOME_FILE, before, this.#frames, MOST_BYTES);
    return this.#at - before >= MOST_BYTES;
  }

  /** All that is left, for one whose process is gone. */
  readToEnd(): void {
    while (this.read());
    feed(this.#dir, END_FILE, 0, new FrameReader(readFromRunner, this.#each), Number.POSITIVE_INFINITY);
  }
}

/** From byte `at` on, until it has `most` of them or the file ends; gives how far it came. */
function feed(dir: string, name: string, at: number, frames: FrameReader<FromRunner>, most: number): number {
  for (const begin = at; at - begin < most; ) {
    const bytes = readFrom(join(dir, name), at, CHUNK_BYTES);
    if (bytes.length === 0) break;
    at += bytes.length;
    frames.feed(bytes);
  }
  return at;
}
