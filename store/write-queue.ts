/**
 * The way of what is written: memory, journal, LMDB.
 *
 * L1. One batch is being written to the journal at any time; what is handed in meanwhile becomes the next one. So the disk holds a prefix, and waiting writes share a flush.
 * L2. A batch leaves memory only when LMDB has flushed it, so reads see it all the time.
 * L3. The journal runs ahead of LMDB by a bounded number of bytes and changes, and on a disk that is nearly full by one batch.
 * L4. After a failed or silent flush of either nothing is written any more.
 * L5. LMDB never meets a full disk if it can be helped: when a write fails lmdb-js 3.5 formats its message into 100 bytes without looking (mdb.c,
 *     "Attempting to write page"), which breaks the heap. So what might not fit fails here, before LMDB sees it.
 * Not here: the journal's files (journal.ts), a commit of LMDB (lmdb-commit.ts).
 */
import { statfsSync } from 'node:fs';
import { PolaronError } from '../model/errors.ts';
import type { Digest } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import type { Journal } from './journal.ts';
import { commitToLmdb, type CommitTarget } from './lmdb-commit.ts';
import type { WriteOp } from './store.ts';
import { WriteBatch, type Changes } from './write-batch.ts';

/** So many changes don't wait any longer. */
const SETTLE_CHANGES = 2_048;
/** L3. */
const MOST_AHEAD_BYTES = 32 * 1024 * 1024;
const MOST_AHEAD_CHANGES = 8 * SETTLE_CHANGES;
const MOST_STORED = 8_192;
/** With more than this free on top of what is wanted there is plenty (L5), and for so many ms after. */
const PLENTY_BYTES = 1024 ** 3;
const PLENTY_MS = 100;
/** Pages that a commit rewrites whatever it holds, and those that one more record may touch there and in the journal, bytes. */
const COMMIT_BYTES = 2 * 1024 * 1024;
const RECORD_BYTES = 3 * 4_096;

const roomFor = (...batches: readonly (WriteBatch | undefined)[]): number =>
  batches.reduce(
    (sum, batch) => sum + (batch === undefined ? 0 : batch.size * RECORD_BYTES + batch.bytes),
    COMMIT_BYTES,
  );

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** A batch with its number in the journal. */
interface Numbered {
  readonly number: number;
  readonly changes: Changes;
}

/** Gives LMDB, in order, what an earlier process left in the journal, as far as there is room (L5); returns the rest. Raises what LMDB says. */
export async function settleLeft({
  path,
  folder,
  journal,
  unsettled,
}: Pick<WriteQueueOptions, 'path' | 'folder' | 'journal' | 'unsettled'>): Promise<readonly Numbered[]> {
  let batch = new WriteBatch();
  let done = 0;
  const commit = async (end: number): Promise<void> => {
    const { number } = unsettled[end - 1] ?? { number: journal.last };
    await commitToLmdb(folder, batch, number);
    journal.settled(number);
    batch = new WriteBatch();
    done = end;
  };
  for (const [i, { changes }] of unsettled.entries()) {
    const one = new WriteBatch();
    one.addAll(changes);
    const fits = (): boolean => freeBytes(path) >= roomFor(batch, one);
    if (!batch.empty && (batch.size + one.size > SETTLE_CHANGES || !fits())) await commit(i);
    if (!fits()) return unsettled.slice(done);
    batch.addAll(changes);
  }
  if (!batch.empty) await commit(unsettled.length);
  return [];
}

export interface WriteQueueOptions {
  /** The data folder. */
  readonly path: string;
  readonly folder: CommitTarget;
  readonly journal: Journal;
  /** What it holds and LMDB lacks. */
  readonly unsettled: readonly Numbered[];
  readonly flushTimeoutMs: number;
  readonly settleMs: number;
  readonly log: Log;
}

export class WriteQueue {
  /** Resolves with the reason when it has failed for good. */
  readonly failed: Promise<Error>;
  readonly #o: WriteQueueOptions;
  #next = new WriteBatch();
  /** On its way into the journal. */
  #committing: WriteBatch | undefined;
  #scheduled = false;
  /** In the journal up to a batch, and not in LMDB. */
  #flushed = new WriteBatch();
  #flushedUpTo: number;
  /** On its way into LMDB. */
  #settling: WriteBatch | undefined;
  #settleTimer: NodeJS.Timeout | undefined;
  /** Values written of late: writing one again changes nothing and costs less than looking for it, but many are the same few. */
  readonly #stored = new Set<Digest>();
  /** By the monotonic clock, ms. */
  #plentyUntil = 0;
  #scarce = false;
  #failure: PolaronError | undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor(o: WriteQueueOptions) {
    this.#o = o;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    for (const { changes } of o.unsettled) this.#flushed.addAll(changes);
    this.#flushedUpTo = o.journal.last;
    this.#settleSoon();
  }

  /** Why nothing is written any more. */
  get failure(): PolaronError | undefined {
    return this.#failure;
  }

  /** Resolves when these and all before them are flushed. Raises STORE_FAILED. */
  write(ops: readonly WriteOp[]): Promise<void> {
    this.#next.add(ops);
    this.#schedule();
    return this.#next.flushed;
  }

  drop(digest: Digest): void {
    this.#stored.delete(digest);
    this.#next.drop(digest);
    this.#schedule();
  }

  /** What isn't in LMDB yet, the newest first. */
  get pending(): readonly WriteBatch[] {
    const batches = [this.#next, this.#committing, this.#flushed, this.#settling];
    return batches.filter((batch) => batch !== undefined);
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
    this.#toJournal(batch).then(
      (number) => {
        this.#flushed.addAll(batch);
        this.#flushedUpTo = number;
        this.#committing = undefined;
        batch.resolve();
        this.#settleSoon();
        if (this.#next.wanted) this.#commit();
      },
      (error: unknown) => this.#failWith(error),
    );
  }

  /** The number of the last batch in it. */
  async #toJournal(batch: WriteBatch): Promise<number> {
    const { journal } = this.#o;
    if (this.#stored.size > MOST_STORED) this.#stored.clear();
    for (const [digest, bytes] of batch.values)
      if (bytes !== undefined && this.#stored.has(digest)) batch.values.delete(digest);
      else if (bytes !== undefined) this.#stored.add(digest);
    if (batch.empty) return journal.last;
    if (this.#scarce || this.#flushed.bytes > MOST_AHEAD_BYTES || this.#flushed.size > MOST_AHEAD_CHANGES)
      await this.settled();
    this.#checkRoom(batch, this.#flushed, this.#settling);
    return this.#inTime(journal.append(batch));
  }

  #settleSoon(): void {
    if (this.#flushed.empty || this.#settling !== undefined || this.#failure !== undefined) return;
    if (this.#scarce || this.#flushed.size >= SETTLE_CHANGES) this.#settle();
    else this.#settleTimer ??= setTimeout(() => this.#settle(), this.#o.settleMs);
  }

  #settle(): void {
    clearTimeout(this.#settleTimer);
    this.#settleTimer = undefined;
    if (this.#settling !== undefined || this.#failure !== undefined || this.#flushed.empty) return;
    const batch = this.#flushed;
    const upTo = this.#flushedUpTo;
    this.#flushed = new WriteBatch();
    this.#settling = batch;
    this.#toLmdb(batch, upTo).then(
      () => {
        this.#settling = undefined;
        this.#o.journal.settled(upTo);
        batch.resolve();
        this.#settleSoon();
      },
      (error: unknown) => this.#failWith(error),
    );
  }

  async #toLmdb(batch: WriteBatch, upTo: number): Promise<void> {
    this.#checkRoom(batch);
    await this.#inTime(commitToLmdb(this.#o.folder, batch, upTo));
  }

  /** Resolves when LMDB has all that is flushed now. Raises STORE_FAILED. */
  async settled(): Promise<void> {
    await this.#settling?.flushed;
    this.#settle();
    await this.#settling?.flushed;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #inTime<T>(flushed: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const { flushTimeoutMs } = this.#o;
    const silence = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`a flush gave no word for ${flushTimeoutMs} ms`)), flushTimeoutMs);
    });
    try {
      return await Promise.race([flushed, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** L5. Raises DISK_FULL. */
  #checkRoom(...batches: readonly (WriteBatch | undefined)[]): void {
    const wanted = roomFor(...batches);
    const now = performance.now();
    if (now < this.#plentyUntil && wanted < PLENTY_BYTES) return;
    const free = freeBytes(this.#o.path);
    this.#scarce = free < wanted + PLENTY_BYTES;
    if (!this.#scarce) this.#plentyUntil = now + PLENTY_MS;
    if (free < wanted)
      throw new PolaronError('DISK_FULL', `${free} bytes are free, and ${wanted} may be needed to write what is due`);
  }

  #failWith(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const failure = new PolaronError('STORE_FAILED', `store ${this.#o.path}: ${reason}`, { cause });
    this.#failure = failure;
    this.#o.log('error', 'the store failed; nothing more is written', { reason });
    clearTimeout(this.#settleTimer);
    for (const batch of this.pending) batch.reject(failure);
    this.#fail(failure);
  }

  /** Waits for what was handed in, and gives LMDB what it can; the rest stays in the journal. Never rejects. */
  async finish(): Promise<void> {
    await Promise.allSettled([this.#committing?.flushed, this.#next.wanted ? this.#next.flushed : undefined]);
    await this.settled().catch(() => undefined);
    clearTimeout(this.#settleTimer);
  }
}
