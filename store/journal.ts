/**
 * The journal: batches in the order of their numbers, each on disk after one write and one sync. LMDB gets them later, many at once: a commit of LMDB
 * rewrites pages all over its file and syncs twice (docs/adr/016-journal.md).
 *
 * J1. A frame fills blocks of its own: a write that a power cut tears can't touch what was acknowledged.
 * J2. One frame is written at any time, the next after its sync: of those that LMDB lacks only the last may be torn. So one that is missing before another is damage.
 * J3. There are two files. One is written from its beginning again only when LMDB has all that is in it.
 * Not here: a frame's bytes (frame.ts), when LMDB gets them (write-queue.ts).
 */
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  write,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PolaronError } from '../model/errors.ts';
import { syncFolder } from './blob-files.ts';
import { decodeChanges, encodeFrame, framesIn, type FoundFrame } from './frame.ts';
import type { Changes, JournalOp } from './write-batch.ts';

const NAMES = ['a', 'b'] as const;
/** A file is left for the other one when it has so many bytes. */
const FILE_BYTES = 8 * 1024 * 1024;
/** Where a write can be its own sync that saves a call. On macOS it reaches the drive's cache only. */
const SYNCED_WRITES = process.platform === 'linux' ? constants.O_DSYNC : 0;
const sync = promisify(fdatasync);

/** Makes the journal's files where there are none. Their names are on disk when it resolves. Raises the system's error. */
export async function makeJournal(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of NAMES) closeSync(openSync(join(folder, name), 'a', 0o600));
  for (const path of [folder, dirname(folder)]) await syncFolder(path);
}

/** The sync of a write that makes a file longer costs more. */
const ROOM = new Uint8Array(256 * 1024);

/** A batch that LMDB lacks, and where it is. */
export interface Unsettled {
  readonly number: number;
  readonly changes: Changes;
  readonly file: 0 | 1;
  readonly end: number;
}

/** What LMDB, which has all up to the batch `settled`, lacks, in order. Raises DATA_DAMAGED when a file or a batch is missing, and the system's error. */
export function readJournal(folder: string, seed: number, settled: number): readonly Unsettled[] {
  const found: (FoundFrame & Pick<Unsettled, 'file'>)[] = [];
  for (const file of [0, 1] as const)
    for (const frame of framesIn(readFile(join(folder, NAMES[file])), seed))
      if (frame.number > settled) found.push({ ...frame, file });
  found.sort((a, b) => a.number - b.number);
  return found.map(({ number, body, file, end }, i) => {
    const expected = settled + 1 + i;
    if (number !== expected)
      throw new PolaronError(
        'DATA_DAMAGED',
        `${folder}: batch ${expected} cannot be read, and batch ${number} is there; LMDB ends with batch ${settled}`,
      );
    return { number, changes: decodeChanges(body), file, end };
  });
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PolaronError('DATA_DAMAGED', `the journal's file ${path} is missing`, { cause: error });
  }
}

interface JournalFile {
  readonly fd: number;
  size: number;
  /** Where the next frame goes. */
  end: number;
  /** Number of its last frame; what LMDB has doesn't count. */
  last: number;
}

export interface JournalOptions {
  readonly folder: string;
  readonly seed: number;
  /** Of the batch that LMDB has last. */
  readonly settled: number;
  /** Those after it. */
  readonly unsettled: readonly Unsettled[];
  /** @default 8 MiB */
  readonly fileBytes?: number | undefined;
}

/** Goes on with a journal that was read; what was read is on disk when this returns. Raises the system's error, and leaves nothing open then. */
export function openJournal(o: JournalOptions): Journal {
  const files: JournalFile[] = [];
  try {
    for (const name of NAMES) {
      const fd = openSync(join(o.folder, name), constants.O_RDWR | SYNCED_WRITES);
      files.push({ fd, size: fstatSync(fd).size, end: 0, last: 0 });
      // a killed process may have written what it hadn't synced
      if (o.unsettled.length > 0) fdatasyncSync(fd);
    }
  } catch (error) {
    for (const { fd } of files) closeSync(fd);
    throw error;
  }
  for (const { file, number, end } of o.unsettled) Object.assign(files[file] ?? {}, { last: number, end });
  return new Journal(o, files);
}

export class Journal {
  readonly #seed: number;
  readonly #fileBytes: number;
  /** The one in use first. */
  readonly #files: JournalFile[];
  #last: number;
  #settled: number;
  #writing: Promise<void> = Promise.resolve();

  constructor(o: JournalOptions, files: readonly JournalFile[]) {
    this.#seed = o.seed;
    this.#fileBytes = o.fileBytes ?? FILE_BYTES;
    this.#files = files.toSorted((a, b) => b.last - a.last);
    this.#settled = o.settled;
    this.#last = o.unsettled.at(-1)?.number ?? o.settled;
  }

  /** Number of the last batch that was written. */
  get last(): number {
    return this.#last;
  }

  /** Resolves with its number when the batch is on disk. Never two at a time. Raises the system's error; nothing may follow it. */
  async append(ops: readonly JournalOp[]): Promise<number> {
    const number = this.#last + 1;
    const frame = encodeFrame(number, ops, this.#seed);
    const file = this.#file();
    this.#writing = this.#write(file, frame, file.end);
    await this.#writing;
    file.end += frame.length;
    file.last = number;
    this.#last = number;
    return number;
  }

  /** What would make the file longer makes it longer by more: the next ones won't. */
  async #write(file: JournalFile, frame: Uint8Array, from: number): Promise<void> {
    const bytes = from + frame.length <= file.size ? frame : Buffer.concat([frame, ROOM]);
    file.size = Math.max(file.size, from + bytes.length);
    await new Promise<void>((resolve, reject) => {
      const writeFrom = (at: number): void =>
        write(file.fd, bytes, at, bytes.length - at, from + at, (error, written) => {
          if (error !== null) reject(error);
          else if (at + written < bytes.length) writeFrom(at + written);
          else resolve();
        });
      writeFrom(0);
    });
    if (SYNCED_WRITES === 0) await sync(file.fd);
  }

  /** J3. While LMDB lags the file in use grows. */
  #file(): JournalFile {
    const [current, other] = this.#files;
    if (current === undefined || other === undefined) throw new RangeError('a journal has two files');
    if (current.end < this.#fileBytes || other.last > this.#settled) return current;
    this.#files.reverse();
    if (other.size > 2 * this.#fileBytes) ftruncateSync(other.fd, (other.size = this.#fileBytes));
    other.end = 0;
    return other;
  }

  /** LMDB has all up to this batch, on disk. */
  settled(number: number): void {
    this.#settled = number;
  }

  /** Waits for what is being written: its descriptor may not become another file's. */
  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    for (const { fd } of this.#files) closeSync(fd);
  }
}
