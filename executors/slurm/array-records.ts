/**
 * Which jobs the arrays in Slurm stand for, on disk: `arrays/<name>/jobs`, flushed before Slurm hears of the array, and beside it a link to each job's folder by its index.
 * So a restarted agent finds each job of an array whose id it never learnt. Not here: what Slurm says of them (queue.ts).
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

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

export class ArrayRecords {
  readonly #root: string;
  /** By job; an array that was handed over in vain is followed by another. */
  readonly #places = new Map<string, readonly InArray[]>();
  readonly #jobs = new Map<string, readonly ArrayJob[]>();

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

  /** Raises the system's error. */
  write(array: string, jobs: readonly ArrayJob[]): void {
    const folder = this.folder(array);
    mkdirSync(folder, { mode: 0o700 });
    for (const [index, job] of jobs.entries()) symlinkSync(job.folder, join(folder, String(index)));
    const file = openSync(join(folder, `${JOBS_FILE}.new`), 'w', 0o600);
    try {
      writeSync(file, JSON.stringify(jobs));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(join(folder, `${JOBS_FILE}.new`), join(folder, JOBS_FILE));
    flushFolder(folder);
    flushFolder(this.#root);
    this.#keep(array, jobs);
  }

  /** Of arrays whose jobs are all over: their folders are gone. */
  clean(): void {
    for (const [array, jobs] of this.#jobs) {
      if (jobs.some(({ folder }) => existsSync(folder))) continue;
      rmSync(this.folder(array), { recursive: true, force: true });
      this.#jobs.delete(array);
      for (const { name } of jobs) this.#places.delete(name);
    }
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

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
