/** Writes handed in that LMDB doesn't have yet: what one flush or commit will hold, and what reads must see meanwhile (S3). */
import { PolaronError } from '../model/errors.ts';
import type { Digest } from '../model/ids.ts';
import { INLINE_VALUE_BYTES, type RecordKey, type WriteOp } from './store.ts';

const LONGEST_KEY = 400;
/** Of a change in memory, besides its key and value. */
const CHANGE_BYTES = 100;

/** `undefined`: removed. */
export type Pending = Uint8Array | undefined;

/** `drop`: a value. */
export type JournalOp = WriteOp | { readonly op: 'drop'; readonly digest: Digest };

/** What a batch changes. */
export interface Changes {
  readonly records: Map<RecordKey, Pending>;
  readonly values: Map<Digest, Pending>;
}

export class WriteBatch implements Changes {
  /** All of a batch becomes durable together, so only the last write of a key counts. */
  readonly records = new Map<RecordKey, Pending>();
  /** `undefined`: dropped. */
  readonly values = new Map<Digest, Pending>();
  /** Settles when whoever holds the batch says that it is on disk. */
  readonly flushed: Promise<void>;
  resolve: () => void = () => undefined;
  reject: (error: Error) => void = () => undefined;

  constructor() {
    this.flushed = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // most writers don't wait: a failure reaches them through Store.failed
    this.flushed.catch(() => undefined);
  }

  /** About what it takes, of all that was added: what was overwritten since included. */
  bytes = 0;

  get size(): number {
    return this.records.size + this.values.size;
  }

  get empty(): boolean {
    return this.size === 0;
  }

  /** Of two of one value the last one counts. */
  drop(digest: Digest): void {
    this.#value(digest, undefined);
  }

  add(ops: readonly WriteOp[]): void {
    for (const op of ops) this.addOne(op);
  }

  addOne(op: JournalOp): void {
    if (op.op === 'put') this.#put(op.key, op.value);
    else if (op.op === 'remove') this.#put(op.key, undefined);
    else this.#value(op.digest, op.op === 'value' ? op.bytes : undefined);
  }

  /** What comes later, over what is here. */
  addAll({ records, values }: Changes): void {
    for (const [key, value] of records) this.#put(key, value);
    for (const [digest, bytes] of values) this.#value(digest, bytes);
  }

  #put(key: RecordKey, value: Pending): void {
    this.records.set(key, value);
    this.bytes += CHANGE_BYTES + key.length + (value?.length ?? 0);
  }

  #value(digest: Digest, bytes: Pending): void {
    this.values.set(digest, bytes);
    this.bytes += CHANGE_BYTES + digest.length + (bytes?.length ?? 0);
  }
}

/** Refuses a whole batch before any of it is taken. Raises VALUE_TOO_LARGE, BAD_REQUEST (a key that is empty or too long). */
export function checkOps(ops: readonly WriteOp[]): void {
  for (const op of ops) {
    if (op.op === 'value') {
      if (op.bytes.length > INLINE_VALUE_BYTES) {
        throw new PolaronError(
          'VALUE_TOO_LARGE',
          `value ${op.digest} of ${op.bytes.length} bytes; up to ${INLINE_VALUE_BYTES} go with records, larger ones through openBlob`,
        );
      }
    } else if (op.key.length === 0 || op.key.length * 3 > LONGEST_KEY) checkKey(op.key);
  }
}

function checkKey(key: RecordKey): void {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > LONGEST_KEY) {
    throw new PolaronError('BAD_REQUEST', `record key of ${bytes} bytes; expected 1 to ${LONGEST_KEY}`, {
      details: { key: key.slice(0, 100) },
    });
  }
}

const SURROGATE = /[\ud800-\udfff]/;

/** Order of keys: that of their UTF-8 bytes, which differs from JavaScript's only where surrogates are. */
export function compareKeys(a: RecordKey, b: RecordKey): number {
  if (a === b) return 0;
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

export interface Entry {
  readonly key: RecordKey;
  readonly value: Uint8Array;
}

/** Entries of `stored` with `pending` laid over them; both in the given direction. */
export function* overlaid(
  stored: Iterable<Entry>,
  pending: readonly (readonly [RecordKey, Pending])[],
  reverse: boolean,
): Generator<Entry> {
  let next = 0;
  for (const entry of stored) {
    for (; next < pending.length; next++) {
      const over = pending[next];
      if (over === undefined) break;
      const order = compareKeys(over[0], entry.key) * (reverse ? -1 : 1);
      if (order > 0) break;
      if (over[1] !== undefined) yield { key: over[0], value: over[1] };
      if (order === 0) break;
    }
    const at = pending[next];
    if (at !== undefined && at[0] === entry.key) next++;
    else yield entry;
  }
  for (; next < pending.length; next++) {
    const over = pending[next];
    if (over?.[1] !== undefined) yield { key: over[0], value: over[1] };
  }
}

/** What batches, the newest first, hold of [start, end), later ones over earlier ones, sorted. */
export function pendingRange(
  batches: readonly WriteBatch[],
  start: RecordKey,
  end: RecordKey,
  reverse: boolean,
): (readonly [RecordKey, Pending])[] {
  const found = new Map<RecordKey, Pending>();
  for (const batch of batches) {
    for (const [key, value] of batch.records) {
      if (compareKeys(key, start) >= 0 && compareKeys(key, end) < 0 && !found.has(key)) found.set(key, value);
    }
  }
  const sorted = [...found].sort((a, b) => compareKeys(a[0], b[0]));
  return reverse ? sorted.reverse() : sorted;
}
