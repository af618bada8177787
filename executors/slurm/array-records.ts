/**
 * Which jobs the arrays in Slurm stand for, on disk: `arrays/<name>/jobs`, flushed before Slurm hears of the array, and beside it a link to each job's folder by its index.
 * So a restarted agent finds each job of an array whose id it never learnt. Not here: what Slurm says of them (queue.ts).
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** A job's place in an array. */
export interface InArray {
  readonly array: string;
  readonly index: number;
}

/** What an array's record needs of a job. */
export interface ArrayJob {
  readonly name: string;
  readonly folder: string;
}

const JOBS_FILE = 'jobs';
/** An array whose jobs are over is known for so many looks more: who cancels one may still be looking for it. */
const LOOKS_KEPT = 10;

export class ArrayRecords {
  readonly #root: string;
  /** By job; an array that was handed over in vain is followed by another. */
  readonly #places = new Map<string, readonly InArray[]>();
  readonly #jobs = new Map<string, readonly ArrayJob[]>();
  /** Arrays whose jobs are all over, with the looks that have found it so. */
  readonly #over = new Map<string, number>();

  /** Reads what earlier lives have left. Raises the system's error. */
  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    for (const array of readdirSync(root)) {
      const jobs = readJobs(join(root, array, JOBS_FILE));
      if (jobs === undefined) rmSync(join(root, array), { recursive: true, force: true });
      else this.#keep(array, jobs);
    }
  }

  /** Where the job may be. */
  of(job: string): readonly InArray[] {
    return this.#places.get(job) ?? [];
  }

  folder(array: string): string {
    return join(this.#root, array);
  }

  /** Raises the system's error; nothing is left then. */
  write(array: string, jobs: readonly ArrayJob[]): void {
    const folder = this.folder(array);
    try {
      mkdirSync(folder, { mode: 0o700 });
      for (const [index, job] of jobs.entries()) symlinkSync(job.folder, join(folder, String(index)));
      const file = openSync(join(folder, `${JOBS_FILE}.new`), 'w', 0o600);
      try {
        writeFileSync(file, JSON.stringify(jobs));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(join(folder, `${JOBS_FILE}.new`), join(folder, JOBS_FILE));
      flushFolder(folder);
      flushFolder(this.#root);
    } catch (error) {
      removeFolder(folder);
      throw error;
    }
    this.#keep(array, jobs);
  }

  /** Forgets arrays whose jobs are all over, as their folders are gone: at once, or `looks` later. Never throws: what can't be removed is tried again by the next life. */
  clean(looks = 0): void {
    for (const [array, jobs] of this.#jobs) {
      // one after the other: it is asked often, and mostly the first is there
      if (jobs.some(({ folder }) => !isGone(folder))) continue;
      const seen = this.#over.get(array) ?? 0;
      this.#over.set(array, seen + 1);
      if (seen < looks) continue;
      this.#over.delete(array);
      this.#jobs.delete(array);
      for (const { name } of jobs) this.#leave(name, array);
      removeFolder(this.folder(array));
    }
  }

  /** To be called at each look at the queue. */
  look(): void {
    this.clean(LOOKS_KEPT);
  }

  #leave(job: string, array: string): void {
    const left = this.of(job).filter((place) => place.array !== array);
    if (left.length > 0) this.#places.set(job, left);
    else this.#places.delete(job);
  }

  #keep(array: string, jobs: readonly ArrayJob[]): void {
    this.#jobs.set(array, jobs);
    for (const [index, { name }] of jobs.entries()) this.#places.set(name, [...this.of(name), { array, index }]);
  }
}

/** Undefined: it was being written when the agent ended, and Slurm never heard of it. */
function readJobs(path: string): readonly ArrayJob[] | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(read) && read.every(isArrayJob) ? read : undefined;
  } catch {
    return undefined;
  }
}

const isArrayJob = (x: unknown): x is ArrayJob =>
  typeof x === 'object' &&
  x !== null &&
  'name' in x &&
  typeof x.name === 'string' &&
  'folder' in x &&
  typeof x.folder === 'string';

/** Removed, and not only out of sight: a share that is away for a moment, a ticket that ran out. */
function isGone(folder: string): boolean {
  try {
    lstatSync(folder);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' && existsSync(dirname(folder));
  }
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // a shared disk that is away for a moment
  }
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
