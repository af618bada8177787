/**
 * The result store's contract: an ordered log of record writes, and content-addressed values.
 * Adapters: lmdb-store.ts, memory-store.ts. One contract suite: test/contract/store.ts.
 *
 * S1. Writes take effect in the order of the `write` calls; after a crash the disk holds a prefix of them, never a hole.
 * S2. A promise of `write` resolves only when that batch and all before it are flushed to disk.
 * S3. `get` and `range` see every write handed in before, flushed or not.
 * S4. A failed or silent flush is fatal: every pending and later call rejects with STORE_FAILED, and `failed` resolves. The owner closes and opens again.
 * S5. A value that `hasValue` found, or that was pinned or uploaded, stays for an hour whatever `dropValues` is told. In the first hour after an open
 *     every small value does: nobody knows what was found before.
 */
import type { Digest } from '../model/ids.ts';

/** Text keys with `/` between parts; sorted by their UTF-8 bytes. At most 400 bytes. */
export type RecordKey = string;

export type WriteOp =
  | { readonly op: 'put'; readonly key: RecordKey; readonly value: Uint8Array }
  | { readonly op: 'remove'; readonly key: RecordKey }
  /** Stores a value under its digest; nothing happens when it is there. The caller has checked the digest. At most `INLINE_VALUE_BYTES`. */
  | { readonly op: 'value'; readonly digest: Digest; readonly bytes: Uint8Array };

/** S5. */
export const PIN_MS = 3_600_000;

/** Values up to this size lie in LMDB and travel inside messages; larger ones are files. */
export const INLINE_VALUE_BYTES = 64 * 1024;

/** Takes the chunks of one large value. Several of one value don't know of each other: each is checked by itself, and the first to finish has stored it. */
export interface BlobWriter {
  /** Bytes received so far: where a resumed upload goes on. */
  readonly received: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Verifies size and digest, makes the file durable (fdatasync, rename, fsync of the folder). Raises BAD_MESSAGE when they don't fit. */
  finish(): Promise<void>;
  /** Drops what was received. */
  abort(): Promise<void>;
}

export interface StoreMeta {
  /** Random id of this store; another one means another history (a restored backup). */
  readonly history: string;
  readonly schemaVersion: number;
}

export interface Store {
  readonly meta: StoreMeta;
  /** Resolves (never rejects) with the reason when the store has failed for good. */
  readonly failed: Promise<Error>;
  /** Queues a batch; all of it becomes durable together. Calls of one turn of the event loop share a commit. */
  write(ops: readonly WriteOp[]): Promise<void>;
  get(key: RecordKey): Uint8Array | undefined;
  /** Entries with start <= key < end, ascending (or descending from the end). */
  range(o: {
    readonly start: RecordKey;
    readonly end: RecordKey;
    readonly limit?: number;
    readonly reverse?: boolean;
  }): Iterable<{ readonly key: RecordKey; readonly value: Uint8Array }>;
  /** Is the whole value here, in LMDB or as a file? Also pins it for an hour. */
  hasValue(digest: Digest): boolean;
  /** Size in bytes, or undefined when it isn't here. */
  valueSize(digest: Digest): number | undefined;
  /** A small value's bytes; undefined when it isn't here or is a file. */
  smallValue(digest: Digest): Uint8Array | undefined;
  /** Bytes [offset, offset + length) of a value, fewer at its end. Raises VALUE_MISSING. */
  readValue(digest: Digest, offset: number, length: number): Promise<Uint8Array>;
  /**
   * Begins to take a large value of `size` bytes. With `resume` it goes on with what such an upload had received when the store was closed or
   * killed, if nobody does so already. Raises VALUE_TOO_LARGE, DISK_FULL.
   */
  openBlob(digest: Digest, size: number, o?: { readonly resume?: boolean }): Promise<BlobWriter>;
  /** Bytes free on the data folder's disk. */
  freeBytes(): Promise<number>;
  /** Keeps a value for an hour (S5), whether it is here or is about to be. */
  pin(digest: Digest): void;
  /** About how many values there are. */
  valueCount(): number;
  /** Digests of what is stored, in pieces; what comes meanwhile may be missing. */
  storedValues(): AsyncIterable<readonly Digest[]>;
  /** Removes those that S5 doesn't keep, in this turn: from now on they aren't here, for any reader. The caller vouches that no record names them. */
  dropValues(digests: readonly Digest[]): Dropped;
  /** Waits for what is queued, then closes. */
  close(): Promise<void>;
}

/** What `dropValues` did. */
export interface Dropped {
  readonly values: number;
  readonly bytes: number;
  /** Kept by S5. */
  readonly held: number;
}

export interface StoreOptions {
  /** Folder; made when missing. Raises DATA_NOT_WRITABLE, DATA_IN_USE, DATA_NEWER, DATA_DAMAGED on open. */
  readonly path: string;
  /** Largest value, bytes. @default 1 GiB */
  readonly maxValueBytes?: number;
  /** A flush that takes longer is a failure, ms. @default 10000 */
  readonly flushTimeoutMs?: number;
  /** How long S5 keeps a value, ms. @default an hour */
  readonly pinMs?: number;
  /** Size of each of the journal's two files, about. @default 8 MiB */
  readonly journalBytes?: number;
  /** How long what is in the journal waits before LMDB is given it, ms: the more goes at once, the fewer pages for each. @default 100 */
  readonly settleMs?: number;
}
