/**
 * Large values as files: `blobs/aa/<sha256>`, and a file in `blobs/tmp` for each writer while they come in.
 *
 * F1. A file under its digest is whole and durable: it was verified, fdatasynced and renamed, and its folder fsynced.
 * F2. A writer's file is its own: what others write of the same value, right or wrong, doesn't touch it. A later one replaces an equal file.
 * F3. `<sha256>.part` is what a later process may resume; what else lies in `blobs/tmp` is nobody's when the folder is opened.
 * F4. A value is here only once its name is durable, and that of its folder: who finds it needn't ask whether somebody is still at it.
 * Not here: small values and records (lmdb-store.ts).
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsync, openSync, statSync, utimesSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, statfs, utimes, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PolaronError, type ErrorCode } from '../model/errors.ts';
import type { Digest } from '../model/ids.ts';
import { OpenFiles } from './open-files.ts';
import type { BlobWriter } from './store.ts';

const COPY_BYTES = 1024 * 1024;
/** After so many the disk is asked to begin: when the last byte comes, little is left to wait for. */
const SYNC_BYTES = 8 * 1024 * 1024;
const PART = '.part';
/** Room that an upload must leave: records of what already runs still have to fit. */
const LEFT_FREE_BYTES = 16 * 1024 * 1024;

export class BlobFiles {
  readonly #folder: string;
  readonly #maxValueBytes: number;
  /** Files that are being written, by their path. */
  readonly #open = new Map<string, FileWriter>();
  /** Renamed, and not yet synced (F4). */
  readonly #naming = new Set<Digest>();
  /** Folders whose own names this process has synced. */
  readonly #safeFolders = new Set<string>();
  readonly #reading = new OpenFiles();
  #written = 0;

  constructor(folder: string, maxValueBytes: number) {
    this.#folder = folder;
    this.#maxValueBytes = maxValueBytes;
  }

  #path(digest: Digest): string {
    return join(this.#folder, digest.slice(0, 2), digest);
  }

  size(digest: Digest): number | undefined {
    if (this.#naming.has(digest)) return undefined;
    return statSync(this.#path(digest), { throwIfNoEntry: false })?.size;
  }

  /** Touches the file: the sweep spares what is younger than an hour, across restarts too. Where nothing may be written nothing is swept. */
  pin(digest: Digest, nowMs: number): void {
    try {
      utimesSync(this.#path(digest), nowMs / 1000, nowMs / 1000);
    } catch (error) {
      if (!diskCodes.has(codeOf(error))) throw error;
    }
  }

  /** Fewer bytes at its end; undefined when it isn't here. */
  read(digest: Digest, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#reading.read(this.#path(digest), offset, length).catch(missing);
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  /** Raises VALUE_TOO_LARGE, DISK_FULL. */
  async begin(digest: Digest, size: number, resume: boolean): Promise<BlobWriter> {
    if (size > this.#maxValueBytes) {
      throw new PolaronError('VALUE_TOO_LARGE', `value of ${size} bytes; at most ${this.#maxValueBytes} are taken`, {
        details: { size, maxValueBytes: this.#maxValueBytes },
      });
    }
    if (this.size(digest) === size) {
      this.pin(digest, Date.now());
      return stored(size);
    }
    const part = this.#freePart(digest, resume);
    const writer = new FileWriter(part, () => this.#name(part, digest), digest, size);
    this.#open.set(part, writer);
    void writer.ended.then(() => this.#open.delete(part));
    const [free] = await Promise.all([this.freeBytes(), writer.ready]).catch(async (error: unknown) => {
      await writer.release();
      throw diskError(error);
    });
    if (free >= size - writer.received + LEFT_FREE_BYTES) return writer;
    await (writer.received > 0 ? writer.release() : writer.abort());
    throw new PolaronError('DISK_FULL', `value of ${size} bytes; ${free} are free in ${this.#folder}`, {
      details: { size, free },
    });
  }

  /** Gives a verified and synced file its name (F1, F4). */
  async #name(part: string, digest: Digest): Promise<void> {
    const final = this.#path(digest);
    const folder = dirname(final);
    const safe = this.#safeFolders.has(folder);
    if (!safe) await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#naming.add(digest);
    await rename(part, final);
    await syncFolder(folder);
    if (!safe) await syncFolder(this.#folder);
    this.#safeFolders.add(folder);
    this.#naming.delete(digest);
  }

  /** F2, F3. */
  #freePart(digest: Digest, resume: boolean): string {
    const kept = join(this.#folder, 'tmp', `${digest}${PART}`);
    return resume && !this.#open.has(kept) ? kept : join(this.#folder, 'tmp', `${digest}.${++this.#written}`);
  }

  /** Lets go of the files of uploads that weren't finished; some can be resumed later (F3). */
  async close(): Promise<void> {
    await Promise.allSettled([this.#reading.close(), ...[...this.#open.values()].map((writer) => writer.release())]);
    this.#open.clear();
  }
}

/** The value is here already. */
const stored = (size: number): BlobWriter => ({
  received: size,
  write: () => Promise.resolve(),
  finish: () => Promise.resolve(),
  abort: () => Promise.resolve(),
});

class FileWriter implements BlobWriter {
  /** The file is open, and what an earlier upload left has been hashed. */
  readonly ready: Promise<void>;
  /** Finished or aborted. */
  readonly ended: Promise<void>;
  received = 0;
  readonly #part: string;
  readonly #name: () => Promise<void>;
  readonly #digest: Digest;
  readonly #size: number;
  #hash: Hash = createHash('sha256');
  #file: FileHandle | undefined;
  /** What an earlier upload left is part of it. */
  #resumed = false;
  /** Under way, on bytes up to `#synced`. Awaited at the end: the system tells of an error once. */
  #syncing: Promise<void> | undefined;
  #synced = 0;
  /** Chunks that no call of the system has taken yet. */
  #gathering: { readonly chunks: Uint8Array[]; readonly written: Promise<void> } | undefined;
  #queue: Promise<unknown>;
  #end: () => void = () => undefined;

  /** `name` gives the file its final one. */
  constructor(part: string, name: () => Promise<void>, digest: Digest, size: number) {
    this.#part = part;
    this.#name = name;
    this.#digest = digest;
    this.#size = size;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.ready = this.#start();
    this.#queue = this.ready.catch(() => undefined);
  }

  async #start(): Promise<void> {
    const left = statSync(this.#part, { throwIfNoEntry: false })?.size ?? 0;
    const file = await open(this.#part, 'a+', 0o600);
    this.#file = file;
    if (left > this.#size) await file.truncate(0);
    if (left === 0 || left > this.#size) return;
    this.#resumed = true;
    const chunk = new Uint8Array(COPY_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, this.received);
      if (bytesRead === 0) return;
      this.#hash.update(chunk.subarray(0, bytesRead));
      this.received += bytesRead;
    }
  }

  /** One after the other, in the order of the calls. */
  #next<T>(act: (file: FileHandle) => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#file === undefined) throw this.#bad('the upload has ended');
      return act(this.#file);
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** What comes while the disk is at an earlier one is written with the next call of the system: a trip to its thread takes longer than a chunk. */
  write(chunk: Uint8Array): Promise<void> {
    if (this.#gathering === undefined) {
      const chunks: Uint8Array[] = [];
      const written = this.#next((file) => {
        this.#gathering = undefined;
        return this.#writeAll(file, chunks);
      });
      this.#gathering = { chunks, written };
    }
    this.#gathering.chunks.push(chunk);
    return this.#gathering.written;
  }

  async #writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    if (this.received + size > this.#size) throw this.#bad(`more than the ${this.#size} bytes announced`);
    const hashed = this.#hash.copy();
    try {
      const writing = writeAll(file, chunks);
      // while the system copies
      for (const chunk of chunks) this.#hash.update(chunk);
      await writing;
    } catch (error) {
      // what was hashed and what lies in the file must stay the same
      this.#hash = hashed;
      await file.truncate(this.received).catch(() => undefined);
      throw diskError(error);
    }
    this.received += size;
    this.#syncAhead(file);
  }

  /** One at a time; what fails is said by `finish`. */
  #syncAhead(file: FileHandle): void {
    if (this.#syncing !== undefined || this.received - this.#synced < SYNC_BYTES) return;
    this.#synced = this.received;
    const syncing = file.datasync().then(() => {
      this.#syncing = undefined;
    });
    syncing.catch(() => undefined);
    this.#syncing = syncing;
  }

  finish(): Promise<void> {
    return this.#next(async (file) => {
      if (this.received !== this.#size) throw this.#bad(`${this.received} of ${this.#size} bytes came`);
      if (this.#hash.digest('hex') !== this.#digest) {
        await this.#remove();
        throw this.#bad('its bytes have another digest');
      }
      try {
        await this.#syncing;
        await file.datasync();
        // from now on it is pinned: its last bytes may have come in an earlier life
        if (this.#resumed) await utimes(this.#part, new Date(), new Date());
        await this.#name();
        await this.#close();
      } catch (error) {
        await this.#close();
        throw diskError(error);
      }
    });
  }

  async abort(): Promise<void> {
    await this.#queue;
    if (this.#file !== undefined) await this.#remove();
  }

  async release(): Promise<void> {
    await this.#queue;
    await this.#close();
  }

  /** The file first: once this writer has ended, another may take the same path (F3). */
  async #remove(): Promise<void> {
    await rm(this.#part, { force: true });
    await this.#close();
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    this.#end();
  }

  #bad(reason: string): PolaronError {
    return new PolaronError('BAD_MESSAGE', `upload of value ${this.#digest}: ${reason}`, {
      details: { digest: this.#digest, size: this.#size, received: this.received },
    });
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  for (let left = chunks; left.length > 0; ) left = after(left, (await file.writev([...left])).bytesWritten);
}

/** What is left of these once so many bytes are written. */
function after(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  const left: Uint8Array[] = [];
  let skip = bytes;
  for (const chunk of chunks) {
    if (skip < chunk.length) left.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return left;
}

const sync = promisify(fsync);

/** Makes a rename in it durable. Opening a folder waits for no disk, and a trip to another thread would take longer. */
export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, 'r');
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Makes the folder, with what uploads need. Removes what nobody will go on with (F3). */
export async function makeBlobFolder(path: string): Promise<void> {
  const temporary = join(path, 'tmp');
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  for (const name of await readdir(temporary))
    if (!name.endsWith(PART)) await rm(join(temporary, name), { force: true });
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

function missing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined;
  throw error;
}

function diskError(error: unknown): unknown {
  const known = diskCodes.get(codeOf(error));
  return known === undefined
    ? error
    : new PolaronError(known, `a value could not be written: ${String(error)}`, { cause: error });
}

const diskCodes = new Map<unknown, ErrorCode>([
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['EACCES', 'DATA_NOT_WRITABLE'],
  ['EPERM', 'DATA_NOT_WRITABLE'],
  ['EROFS', 'DATA_NOT_WRITABLE'],
]);
