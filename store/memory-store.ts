/**
 * The store in memory, for tests and simulation: the same contract, and crashes on demand. What counts as flushed is decided by whoever holds it.
 */
import { defaults } from '../model/defaults.ts';
import { PolaronError } from '../model/errors.ts';
import { isDigest, type Digest } from '../model/ids.ts';
import { createHash, randomUUID } from 'node:crypto';
import { SCHEMA_VERSION } from './records.ts';
import { Pins } from './pins.ts';
import {
  PIN_MS,
  type BlobWriter,
  type Dropped,
  type RecordKey,
  type Store,
  type StoreMeta,
  type WriteOp,
} from './store.ts';
import { checkOps, compareKeys, WriteBatch, type Entry } from './write-batch.ts';

export interface MemoryStoreOptions {
  /** `turn`: what a turn of the event loop wrote is flushed at its end. `manual`: only by `flush()`. @default 'turn' */
  readonly flush?: 'turn' | 'manual';
  /** @default 1 GiB */
  readonly maxValueBytes?: number;
  /** @default random */
  readonly history?: string;
  /** As StoreOptions.pinMs, by this clock. @default an hour of the process's clock */
  readonly pinMs?: number;
  readonly monotonic?: () => number;
}

export interface MemoryStore extends Store {
  /** Makes the first `writes` of what was written durable, or all of it, and resolves their promises. */
  flush(writes?: number): void;
  /** Writes that aren't flushed. */
  readonly unflushed: number;
  /** A record as a crash would leave it. */
  flushed(key: RecordKey): Uint8Array | undefined;
  /** Fails as a disk does: S4. */
  fail(reason: string): void;
  /** Ends this store at once, as a power cut does, and gives one that holds what was flushed, and of what wasn't the first `writes`. */
  crash(writes?: number): MemoryStore;
}

interface Content {
  readonly records: Map<RecordKey, Uint8Array>;
  readonly values: Map<Digest, Uint8Array>;
  readonly blobs: Map<Digest, Uint8Array>;
}

export function openMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const content: Content = { records: new Map(), values: new Map(), blobs: new Map() };
  return new InMemory(options, content, { history: options.history ?? randomUUID(), schemaVersion: SCHEMA_VERSION });
}

class InMemory implements MemoryStore {
  readonly meta: StoreMeta;
  readonly failed: Promise<Error>;
  readonly #options: MemoryStoreOptions;
  /** What a crash leaves. */
  readonly #durable: Content;
  readonly #records: Map<RecordKey, Uint8Array>;
  readonly #values: Map<Digest, Uint8Array>;
  readonly #pins: Pins;
  #sorted: RecordKey[];
  /** One for each write, in order. */
  #batches: WriteBatch[] = [];
  #scheduled = false;
  #failure: PolaronError | undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor(options: MemoryStoreOptions, durable: Content, meta: StoreMeta) {
    this.#options = options;
    this.#durable = durable;
    this.#records = new Map(durable.records);
    this.#values = new Map(durable.values);
    this.#pins = new Pins(options.pinMs ?? PIN_MS, options.monotonic ?? (() => performance.now()));
    this.#sorted = [...this.#records.keys()].sort(compareKeys);
    this.meta = meta;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  write(ops: readonly WriteOp[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    try {
      checkOps(ops);
    } catch (error) {
      return Promise.reject(error);
    }
    const batch = new WriteBatch();
    batch.add(ops);
    this.#batches.push(batch);
    for (const op of ops) {
      if (op.op === 'put') this.#put(op.key, op.value);
      else if (op.op === 'remove') this.#remove(op.key);
      else if (!this.#values.has(op.digest)) this.#values.set(op.digest, op.bytes);
    }
    this.#schedule();
    return batch.flushed;
  }

  #schedule(): void {
    if (this.#options.flush === 'manual' || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  #put(key: RecordKey, value: Uint8Array): void {
    if (!this.#records.has(key)) this.#sorted.splice(this.#place(key), 0, key);
    this.#records.set(key, value);
  }

  #remove(key: RecordKey): void {
    if (this.#records.delete(key)) this.#sorted.splice(this.#place(key), 1);
  }

  /** Index of the first key not before `key`. */
  #place(key: RecordKey): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#sorted[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get unflushed(): number {
    return this.#batches.length;
  }

  flushed(key: RecordKey): Uint8Array | undefined {
    return this.#durable.records.get(key);
  }

  flush(writes = this.#batches.length): void {
    if (this.#failure !== undefined) return;
    for (const batch of this.#commit(writes)) batch.resolve();
  }

  /** Takes the first writes to the disk. */
  #commit(writes: number): readonly WriteBatch[] {
    const batches = this.#batches.splice(0, writes);
    for (const batch of batches) {
      for (const [key, value] of batch.records) {
        if (value === undefined) this.#durable.records.delete(key);
        else this.#durable.records.set(key, value);
      }
      for (const [digest, bytes] of batch.values) {
        if (bytes === undefined) this.#durable.values.delete(digest);
        else this.#durable.values.set(digest, bytes);
      }
    }
    return batches;
  }

  fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new PolaronError('STORE_FAILED', `memory store: ${reason}`);
    for (const batch of this.#batches) batch.reject(this.#failure);
    this.#fail(this.#failure);
  }

  crash(writes = 0): MemoryStore {
    this.fail('it crashed');
    this.#commit(writes);
    const { records, values, blobs } = this.#durable;
    const left = { records: new Map(records), values: new Map(values), blobs: new Map(blobs) };
    return new InMemory(this.#options, left, this.meta);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  get(key: RecordKey): Uint8Array | undefined {
    this.#check();
    return this.#records.get(key);
  }

  range(o: {
    readonly start: RecordKey;
    readonly end: RecordKey;
    readonly limit?: number;
    readonly reverse?: boolean;
  }): Iterable<Entry> {
    this.#check();
    const keys = this.#sorted.slice(this.#place(o.start), this.#place(o.end));
    if (o.reverse === true) keys.reverse();
    const found: Entry[] = [];
    for (const key of keys.slice(0, Math.max(0, o.limit ?? keys.length))) {
      const value = this.#records.get(key);
      if (value !== undefined) found.push({ key, value });
    }
    return found;
  }

  hasValue(digest: Digest): boolean {
    if (this.valueSize(digest) === undefined) return false;
    this.#pins.add(digest);
    return true;
  }

  valueSize(digest: Digest): number | undefined {
    this.#check();
    return (this.#values.get(digest) ?? this.#durable.blobs.get(digest))?.length;
  }

  smallValue(digest: Digest): Uint8Array | undefined {
    this.#check();
    return this.#values.get(digest);
  }

  async readValue(digest: Digest, offset: number, length: number): Promise<Uint8Array> {
    this.#check();
    const bytes = this.#values.get(digest) ?? this.#durable.blobs.get(digest);
    if (bytes === undefined)
      throw new PolaronError('VALUE_MISSING', `value ${digest} is not in the store`, { details: { digest } });
    return bytes.subarray(offset, offset + length);
  }

  async openBlob(digest: Digest, size: number): Promise<BlobWriter> {
    this.#check();
    const maxValueBytes = this.#options.maxValueBytes ?? defaults.maxValueBytes;
    if (size > maxValueBytes) {
      throw new PolaronError('VALUE_TOO_LARGE', `value of ${size} bytes; at most ${maxValueBytes} are taken`);
    }
    this.#pins.add(digest);
    const chunks: Uint8Array[] = [];
    let received = this.#durable.blobs.has(digest) ? size : 0;
    const stored = received === size;
    let ended = false;
    const bad = (reason: string): PolaronError =>
      new PolaronError('BAD_MESSAGE', `upload of value ${digest}: ${reason}`, { details: { digest } });
    return {
      get received() {
        return received;
      },
      write: async (chunk) => {
        if (stored) return;
        if (ended) throw bad('the upload has ended');
        if (received + chunk.length > size) throw bad(`more than the ${size} bytes announced`);
        chunks.push(chunk.slice());
        received += chunk.length;
      },
      finish: async () => {
        if (stored) return;
        if (ended) throw bad('the upload has ended');
        if (received !== size) throw bad(`${received} of ${size} bytes came`);
        ended = true;
        const bytes = new Uint8Array(Buffer.concat(chunks));
        const found: unknown = createHash('sha256').update(bytes).digest('hex');
        if (!isDigest(found) || found !== digest) throw bad('its bytes have another digest');
        this.#durable.blobs.set(digest, bytes);
      },
      abort: async () => {
        ended = true;
      },
    };
  }

  pin(digest: Digest): void {
    this.#pins.add(digest);
  }

  valueCount(): number {
    return this.#values.size;
  }

  async *storedValues(): AsyncGenerator<readonly Digest[]> {
    for (const digest of [...this.#values.keys(), ...this.#durable.blobs.keys()]) yield [digest];
  }

  dropValues(digests: readonly Digest[]): Dropped {
    this.#check();
    const done = { values: 0, bytes: 0, held: 0 };
    const batch = new WriteBatch();
    this.#batches.push(batch);
    for (const digest of digests) {
      const size = this.valueSize(digest);
      if (size === undefined || !this.#pins.settled || this.#pins.has(digest)) {
        done.held++;
        continue;
      }
      if (this.#values.delete(digest)) batch.drop(digest);
      else this.#durable.blobs.delete(digest);
      done.values++;
      done.bytes += size;
    }
    this.#schedule();
    return done;
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(Number.MAX_SAFE_INTEGER);
  }

  async close(): Promise<void> {
    this.flush();
    this.#failure ??= new PolaronError('STORE_FAILED', 'the store was closed');
  }
}
