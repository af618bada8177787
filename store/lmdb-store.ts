/**
 * The store on disk: records and small values in LMDB, large values as files. What is written counts as flushed when it stands in the journal; LMDB gets it
 * a little later, with all that came meanwhile (write-queue.ts). Reads lay what LMDB doesn't have yet over what it has.
 * Not here: what records hold (records.ts), files of large values (blob-files.ts), opening the folder (lmdb-open.ts).
 */
import { defaults } from '../model/defaults.ts';
import { join } from 'node:path';
import { PolaronError } from '../model/errors.ts';
import type { Digest } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { BlobFiles } from './blob-files.ts';
import { openJournal, type Journal } from './journal.ts';
import { notWritable, openFolder, type OpenFolder } from './lmdb-open.ts';
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
import { checkOps, overlaid, pendingRange, type Entry } from './write-batch.ts';
import { settleLeft, WriteQueue, type WriteQueueOptions } from './write-queue.ts';

const DEFAULT_MAX_VALUE_BYTES = defaults.maxValueBytes;
const DEFAULT_FLUSH_TIMEOUT_MS = 10_000;
const DEFAULT_SETTLE_MS = 100;
const CLOSE_TIMEOUT_MS = 2_000;

/** Opens (or makes) a store. Raises DATA_IN_USE, DATA_NEWER, DATA_NOT_WRITABLE, DATA_DAMAGED. */
export async function openLmdbStore(options: StoreOptions & { readonly log: Log }): Promise<DiskStore> {
  const { path } = options;
  const { unsettled, ...folder } = await openFolder(path);
  let journal: Journal | undefined;
  try {
    const { journalFolder, seed, settled } = folder;
    journal = openJournal({ folder: journalFolder, seed, settled, unsettled, fileBytes: options.journalBytes });
    return new LmdbStore(options, folder, journal, await settleLeft({ path, folder, journal, unsettled }));
  } catch (error) {
    await journal?.close();
    await folder.root.close();
    folder.unlock();
    throw error instanceof PolaronError ? error : notWritable(path, error);
  }
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
  readonly #folder: Omit<OpenFolder, 'unsettled'>;
  readonly #blobs: BlobFiles;
  readonly #pinMs: number;
  readonly #pins: Pins;
  readonly #journal: Journal;
  readonly #queue: WriteQueue;
  #closing: Promise<void> | undefined;

  constructor(
    options: StoreOptions & { readonly log: Log },
    folder: Omit<OpenFolder, 'unsettled'>,
    journal: Journal,
    unsettled: WriteQueueOptions['unsettled'],
  ) {
    this.#path = options.path;
    this.#folder = folder;
    this.#journal = journal;
    this.meta = folder.meta;
    this.#pinMs = options.pinMs ?? PIN_MS;
    this.#pins = new Pins(this.#pinMs, () => performance.now());
    this.#blobs = new BlobFiles(folder.blobFolder, options.maxValueBytes ?? DEFAULT_MAX_VALUE_BYTES);
    this.#queue = new WriteQueue({
      path: options.path,
      folder,
      journal,
      unsettled,
      log: options.log,
      flushTimeoutMs: options.flushTimeoutMs ?? DEFAULT_FLUSH_TIMEOUT_MS,
      settleMs: options.settleMs ?? DEFAULT_SETTLE_MS,
    });
    this.failed = this.#queue.failed;
  }

  write(ops: readonly WriteOp[]): Promise<void> {
    try {
      this.#check();
      checkOps(ops);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queue.write(ops);
  }

  #check(): void {
    if (this.#queue.failure !== undefined) throw this.#queue.failure;
    if (this.#closing !== undefined) throw closed();
  }

  get(key: RecordKey): Uint8Array | undefined {
    this.#check();
    for (const { records } of this.#queue.pending) {
      const pending = records.get(key);
      if (pending !== undefined || records.has(key)) return pending;
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
    const pending = pendingRange(this.#queue.pending, o.start, o.end, reverse);
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
    for (const { values } of this.#queue.pending) if (values.has(digest)) return values.get(digest) !== undefined;
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
    for (const { values } of this.#queue.pending) {
      const pending = values.get(digest);
      if (pending !== undefined || values.has(digest)) return pending;
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
    await this.#queue.settled();
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
    this.#queue.drop(digest);
    return size;
  }

  async copyTo(folder: string): Promise<Copied> {
    await this.write([]);
    await this.#queue.settled();
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
    await this.#queue.finish();
    await this.#blobs.close();
    // after a failed flush they may wait for ever
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([Promise.allSettled([this.#journal.close(), this.#folder.root.close()]), patience]);
    clearTimeout(timer);
    this.#folder.unlock();
  }
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
