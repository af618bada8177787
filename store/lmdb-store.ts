/**
 * The store on disk: records and small values in LMDB, large values as files.
 *
 * L1. One batch is being committed at any time; what is handed in meanwhile becomes the next one. So the disk holds a prefix, and waiting writes share a flush.
 * L2. Only asynchronous puts and removes, all of a batch in one turn of the event loop, which lmdb-js makes one transaction. Never transaction(): it is reordered.
 * L3. A batch leaves memory only after its flush, so reads see it all the time.
 * L4. After a failed or silent flush nothing is sent to LMDB any more: the next small put could succeed and leave a hole.
 * L5. LMDB never meets a full disk if it can be helped: when a write fails lmdb-js 3.5 formats its message into 100 bytes without looking (mdb.c,
 *     "Attempting to write page"), which breaks the heap. So a batch that might not fit fails here, before LMDB sees it.
 * Not here: what records hold (records.ts), files of large values (blob-files.ts), opening the folder (lmdb-open.ts).
 */
import { defaults } from '../model/defaults.ts';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'lmdb';
import { PolaronError } from '../model/errors.ts';
import type { Digest } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { BlobFiles } from './blob-files.ts';
import { openFolder, type OpenFolder } from './lmdb-open.ts';
import { dropBlob, listBlobs } from './blob-sweep.ts';
import { copyFolder, type Copied } from './copy-folder.ts';
import { countOf, listValues } from './lmdb-values.ts';
import { Pins } from './pins.ts';
import {
  PIN_MS,
  type BlobWriter,
  type Dropped,
  type RecordKey,
  type Store,
  type StoreMeta,
  type StoreOptions,
  type WriteOp,
} from './store.ts';
import { checkOps, overlaid, pendingRange, WriteBatch, type Entry } from './write-batch.ts';

const DEFAULT_MAX_VALUE_BYTES = defaults.maxValueBytes;
const DEFAULT_FLUSH_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;
const MOST_STORED = 8_192;
/** With more free than this any batch fits (L5). */
const PLENTY_BYTES = 1024 ** 3;
/** Pages that a commit rewrites whatever it holds, and those that one more record may touch, bytes. */
const COMMIT_BYTES = 2 * 1024 * 1024;
const RECORD_BYTES = 2 * 4_096;

/** Opens (or makes) a store. Raises DATA_IN_USE, DATA_NEWER, DATA_NOT_WRITABLE, DATA_DAMAGED. */
export async function openLmdbStore(options: StoreOptions & { readonly log: Log }): Promise<DiskStore> {
  return new LmdbStore(options, await openFolder(options.path));
}

/** A store that can be copied. */
export interface DiskStore extends Store {
  /** Into an existing folder, as it is at one moment that comes after all that was written before. Nothing may be dropped meanwhile. Raises DISK_FULL. */
  copyTo(folder: string): Promise<Copied>;
}

class LmdbStore implements DiskStore {
  readonly meta: StoreMeta;
  readonly failed: Promise<Error>;
  readonly #path: string;
  readonly #folder: OpenFolder;
  readonly #blobs: BlobFiles;
  readonly #log: Log;
  readonly #flushTimeoutMs: number;
  readonly #pinMs: number;
  readonly #pins: Pins;
  /** Values written of late: writing one again changes nothing and costs less than looking for it, but many are the same few. */
  readonly #stored = new Set<Digest>();
  #next = new WriteBatch();
  #committing: WriteBatch | undefined;
  #scheduled = false;
  #failure: PolaronError | undefined;
  #fail: (error: Error) => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(options: StoreOptions & { readonly log: Log }, folder: OpenFolder) {
    this.#path = options.path;
    this.#folder = folder;
    this.meta = folder.meta;
    this.#log = options.log;
    this.#flushTimeoutMs = options.flushTimeoutMs ?? DEFAULT_FLUSH_TIMEOUT_MS;
    this.#pinMs = options.pinMs ?? PIN_MS;
    this.#pins = new Pins(this.#pinMs, () => performance.now());
    this.#blobs = new BlobFiles(folder.blobFolder, options.maxValueBytes ?? DEFAULT_MAX_VALUE_BYTES);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  write(ops: readonly WriteOp[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined) return Promise.reject(closed());
    try {
      checkOps(ops);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#next.add(ops);
    this.#schedule();
    return this.#next.flushed;
  }

  #schedule(): void {
    if (!this.#scheduled && this.#committing === undefined) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#commit();
      });
    }
  }

  #commit(): void {
    if (this.#committing !== undefined || this.#failure !== undefined) return;
    const batch = this.#next;
    this.#next = new WriteBatch();
    this.#committing = batch;
    this.#flush(batch).then(
      () => {
        // lmdb-js may keep its snapshot until the next microtask; reads no longer find the batch in memory
        this.#folder.records.resetReadTxn();
        this.#committing = undefined;
        batch.resolve();
        if (this.#next.wanted) this.#commit();
      },
      (error: unknown) => this.#failWith(error, batch),
    );
  }

  async #flush(batch: WriteBatch): Promise<void> {
    const { records, values } = this.#folder;
    this.#checkRoom(batch);
    const results = new Set<Promise<boolean>>();
    if (this.#stored.size > MOST_STORED) this.#stored.clear();
    for (const [digest, bytes] of batch.values) {
      if (bytes === undefined) {
        results.add(values.remove(Buffer.from(digest, 'hex')));
        continue;
      }
      if (this.#stored.has(digest)) continue;
      this.#stored.add(digest);
      results.add(values.put(Buffer.from(digest, 'hex'), bytes));
    }
    for (const [key, value] of batch.records) {
      results.add(value === undefined ? records.remove(key) : records.put(key, value));
    }
    if (results.size === 0) return;
    // lmdb-js begins the batch in the next turn, with a promise of its own that rejects with the rest: unheard, it would end the process.
    setImmediate(() => void records.committed.then(undefined, () => undefined));
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`a flush gave no word for ${this.#flushTimeoutMs} ms`)),
        this.#flushTimeoutMs,
      );
    });
    try {
      await Promise.race([flushOf(results, records), silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** L5. Raises DISK_FULL. Costs 3 µs while there is plenty. */
  #checkRoom(batch: WriteBatch): void {
    const { bavail, bsize } = statfsSync(this.#path);
    const free = bavail * bsize;
    if (free > PLENTY_BYTES || batch.empty) return;
    let wanted = COMMIT_BYTES;
    for (const bytes of batch.values.values()) wanted += (bytes?.length ?? 0) + RECORD_BYTES;
    for (const bytes of batch.records.values()) wanted += (bytes?.length ?? 0) + RECORD_BYTES;
    if (free < wanted)
      throw new PolaronError('DISK_FULL', `${free} bytes are free, and ${wanted} may be needed to write what is due`);
  }

  #failWith(cause: unknown, batch: WriteBatch): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const failure = new PolaronError('STORE_FAILED', `store ${this.#path}: ${reason}`, { cause });
    this.#failure = failure;
    this.#log('error', 'the store failed; nothing more is written', { reason });
    batch.reject(failure);
    this.#next.reject(failure);
    this.#fail(failure);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw closed();
  }

  get(key: RecordKey): Uint8Array | undefined {
    this.#check();
    for (const batch of [this.#next, this.#committing]) {
      const pending = batch?.records.get(key);
      if (pending !== undefined || batch?.records.has(key) === true) return pending;
    }
    return this.#folder.records.get(key);
  }

  range(o: {
    readonly start: RecordKey;
    readonly end: RecordKey;
    readonly limit?: number;
    readonly reverse?: boolean;
  }): Iterable<Entry> {
    this.#check();
    const reverse = o.reverse === true;
    const pending = pendingRange([this.#committing, this.#next], o.start, o.end, reverse);
    // what is removed in memory still counts in LMDB
    const removed = pending.reduce((count, [, value]) => (value === undefined ? count + 1 : count), 0);
    const limit = o.limit ?? Number.POSITIVE_INFINITY;
    const stored = this.#folder.records.getRange({
      ...(reverse
        ? { start: o.end, end: o.start, reverse: true, exclusiveStart: true, inclusiveEnd: true }
        : { start: o.start, end: o.end }),
      ...(Number.isFinite(limit) ? { limit: limit + removed } : {}),
    });
    return first(overlaid(stored, pending, reverse), limit);
  }

  hasValue(digest: Digest): boolean {
    this.#check();
    if (!this.#hasSmall(digest)) {
      if (this.#blobs.size(digest) === undefined) return false;
      this.#blobs.pin(digest, Date.now());
    }
    this.#pins.add(digest);
    return true;
  }

  #hasSmall(digest: Digest): boolean {
    for (const batch of [this.#next, this.#committing])
      if (batch?.values.has(digest) === true) return batch.values.get(digest) !== undefined;
    return this.#folder.values.doesExist(Buffer.from(digest, 'hex'));
  }

  valueSize(digest: Digest): number | undefined {
    return this.#small(digest)?.length ?? this.#blobs.size(digest);
  }

  smallValue(digest: Digest): Uint8Array | undefined {
    return this.#small(digest);
  }

  #small(digest: Digest): Uint8Array | undefined {
    this.#check();
    for (const batch of [this.#next, this.#committing]) {
      const pending = batch?.values.get(digest);
      if (pending !== undefined || batch?.values.has(digest) === true) return pending;
    }
    return this.#folder.values.get(Buffer.from(digest, 'hex'));
  }

  async readValue(digest: Digest, offset: number, length: number): Promise<Uint8Array> {
    const small = this.#small(digest);
    const bytes =
      small === undefined ? await this.#blobs.read(digest, offset, length) : small.subarray(offset, offset + length);
    if (bytes === undefined)
      throw new PolaronError('VALUE_MISSING', `value ${digest} is not in the store`, { details: { digest } });
    return bytes;
  }

  async openBlob(digest: Digest, size: number, o: { readonly resume?: boolean } = {}): Promise<BlobWriter> {
    this.#check();
    this.#pins.add(digest);
    return this.#blobs.begin(digest, size, o.resume ?? false);
  }

  pin(digest: Digest): void {
    this.#pins.add(digest);
  }

  valueCount(): number {
    return countOf(this.#folder.values);
  }

  async *storedValues(): AsyncGenerator<readonly Digest[]> {
    yield* listValues(this.#folder.values);
    yield* listBlobs(this.#folder.blobFolder);
  }

  dropValues(digests: readonly Digest[]): Dropped {
    this.#check();
    const untouchedSince = Date.now() - this.#pinMs;
    const done = { values: 0, bytes: 0, held: 0 };
    for (const digest of digests) {
      const size = this.#pins.has(digest) ? undefined : this.#drop(digest, untouchedSince);
      if (size === undefined) done.held++;
      else {
        done.values++;
        done.bytes += size;
      }
    }
    return done;
  }

  /** Its size, or undefined when it stays. */
  #drop(digest: Digest, untouchedSince: number): number | undefined {
    const size = this.#small(digest)?.length;
    if (size === undefined) return dropBlob(this.#folder.blobFolder, digest, untouchedSince);
    if (!this.#pins.settled) return undefined;
    this.#stored.delete(digest);
    this.#next.drop(digest);
    this.#schedule();
    return size;
  }

  async copyTo(folder: string): Promise<Copied> {
    await this.write([]);
    const source = { records: join(this.#path, 'records'), blobs: this.#folder.blobFolder };
    return copyFolder(this.#folder.root, source, folder);
  }

  freeBytes(): Promise<number> {
    return this.#blobs.freeBytes();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([this.#committing?.flushed, this.#next.wanted ? this.#next.flushed : undefined]);
    await this.#blobs.close();
    // after a failed flush lmdb-js may wait for ever
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([this.#folder.root.close().catch(() => undefined), patience]);
    clearTimeout(timer);
    this.#folder.unlock();
  }
}

/** Resolves when all is committed and flushed. Every promise that lmdb-js makes on the way is handled: it makes two for one failure. */
async function flushOf(results: ReadonlySet<Promise<boolean>>, db: Database<Uint8Array, string>): Promise<void> {
  try {
    await Promise.all(results);
  } catch (error) {
    throw await reasonOf(error);
  }
  await db.flushed;
}

/** lmdb-js says "Commit failed (see commitError for details)", where commitError is a promise that rejects, or never settles. */
async function reasonOf(error: unknown): Promise<unknown> {
  if (typeof error !== 'object' || error === null || !('commitError' in error)) return error;
  const details = Promise.resolve(error.commitError).then(
    () => error,
    (reason: unknown) => reason,
  );
  const soon = new Promise((resolve) => {
    setTimeout(() => resolve(error), 100);
  });
  return Promise.race([details, soon]);
}

function* first(entries: Iterable<Entry>, limit: number): Generator<Entry> {
  let left = limit;
  if (left <= 0) return;
  for (const entry of entries) {
    yield entry;
    if (--left <= 0) return;
  }
}

const closed = (): PolaronError => new PolaronError('STORE_FAILED', 'the store was closed');
