/**
 * The way of what is written: memory, journal, LMDB.
 *
 * L1. One batch is being written to the journal at any time; what is handed in meanwhile becomes the next one. So the disk holds a prefix, and waiting writes share a flush.
 * L2. What is handed in stays in a window until LMDB has flushed that, so reads see it all the time. A window closes where a batch ends, and goes to LMDB when
 *     that batch is in the journal: LMDB holds a prefix, too.
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
import { deferred } from '../model/deferred.ts';
import { WriteBatch, type Changes, type JournalOp } from './write-batch.ts';

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

/** What goes to the journal together. */
class FlushBatch {
  readonly ops: JournalOp[] = [];
  /** Somebody waits for it; one without ops, too, stands for all before it. */
  wanted = false;
  /** Every `write` of it returns this one. */
  readonly #flushed = deferred<void>();

  constructor() {
    // most writers don't wait: a failure reaches them through Store.failed
    this.flushed.catch(() => undefined);
  }

  get flushed(): Promise<void> {
    return this.#flushed.promise;
  }
  resolve(): void {
    this.#flushed.resolve();
  }
  reject(error: Error): void {
    this.#flushed.reject(error);
  }
}

export class WriteQueue {
  /** Resolves with the reason when it has failed for good. */
  readonly failed: Promise<Error>;
  readonly #o: WriteQueueOptions;
  /** What is handed in until the journal takes it. */
  #next = new FlushBatch();
  #flushing: FlushBatch | undefined;
  #scheduled = false;
  /** What LMDB gets next: all since the last time, in the journal or not. */
  #window = new WriteBatch();
  /** What it is getting, all of it in the journal. */
  #settling: WriteBatch | undefined;
  #settleTimer: NodeJS.Timeout | undefined;
  /** The window closes with the next batch. */
  #due = false;
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
    for (const { changes } of o.unsettled) this.#window.addAll(changes);
    this.#settleSoon();
  }

  /** Why nothing is written any more. */
  get failure(): PolaronError | undefined {
    return this.#failure;
  }

  /** Resolves when these and all before them are flushed. Raises STORE_FAILED. */
  write(ops: readonly WriteOp[]): Promise<void> {
    const { ops: next } = this.#next;
    for (const op of ops) {
      if (op.op === 'value') {
        if (this.#stored.has(op.digest)) continue;
        this.#remember(op.digest);
      }
      next.push(op);
      this.#window.addOne(op);
    }
    this.#next.wanted = true;
    this.#schedule();
    return this.#next.flushed;
  }

  #remember(digest: Digest): void {
    if (this.#stored.size > MOST_STORED) this.#stored.clear();
    this.#stored.add(digest);
  }

  /** Removes a value, or what was written of it before. */
  drop(digest: Digest): void {
    this.#stored.delete(digest);
    const op = { op: 'drop', digest } as const;
    this.#next.ops.push(op);
    this.#window.addOne(op);
    this.#next.wanted = true;
    this.#schedule();
  }

  /** What isn't in LMDB yet, the newest first. */
  get pending(): readonly WriteBatch[] {
    return this.#settling === undefined ? [this.#window] : [this.#window, this.#settling];
  }

  #schedule(): void {
    if (!this.#scheduled && this.#flushing === undefined) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
  }

  #goOn(): void {
    this.#settleSoon();
    if (this.#next.wanted || (this.#due && this.#settling === undefined)) this.#schedule();
  }

  #flush(): void {
    if (this.#flushing !== undefined || this.#failure !== undefined) return;
    // L3: it goes on when LMDB has what it is getting
    if (this.#settling !== undefined && this.#isFarAhead()) return;
    const batch = this.#next;
    this.#next = new FlushBatch();
    this.#flushing = batch;
    const closed = this.#settling === undefined && (this.#due || this.#isFarAhead()) ? this.#window : undefined;
    if (closed !== undefined) this.#closeWindow(closed);
    this.#toJournal(batch.ops).then(
      (number) => {
        this.#flushing = undefined;
        batch.resolve();
        if (closed !== undefined) this.#settle(closed, number);
        this.#goOn();
      },
      (error: unknown) => this.#failWith(error),
    );
  }

  #isFarAhead(): boolean {
    return this.#scarce || this.#window.bytes > MOST_AHEAD_BYTES || this.#window.size > MOST_AHEAD_CHANGES;
  }

  #closeWindow(closed: WriteBatch): void {
    clearTimeout(this.#settleTimer);
    this.#settleTimer = undefined;
    this.#due = false;
    this.#settling = closed;
    this.#window = new WriteBatch();
  }

  /** The number of the last batch in it. */
  async #toJournal(ops: readonly JournalOp[]): Promise<number> {
    const { journal } = this.#o;
    if (ops.length === 0) return journal.last;
    this.#checkRoom(this.#window, this.#settling);
    return this.#inTime(journal.append(ops));
  }

  /** Closes the window before long. */
  #settleSoon(): void {
    if (this.#window.empty || this.#settling !== undefined || this.#failure !== undefined) return;
    if (this.#scarce || this.#window.size >= SETTLE_CHANGES) this.#settleNow();
    else this.#settleTimer ??= setTimeout(() => this.#settleNow(), this.#o.settleMs);
  }

  #settleNow(): void {
    this.#due = true;
    this.#schedule();
  }

  #settle(window: WriteBatch, upTo: number): void {
    this.#toLmdb(window, upTo).then(
      () => {
        this.#settling = undefined;
        this.#o.journal.settled(upTo);
        window.resolve();
        this.#goOn();
      },
      (error: unknown) => this.#failWith(error),
    );
  }

  async #toLmdb(window: WriteBatch, upTo: number): Promise<void> {
    if (window.empty) return;
    this.#checkRoom(window);
    await this.#inTime(commitToLmdb(this.#o.folder, window, upTo));
  }

  /** Resolves when LMDB has all that was handed in. Raises STORE_FAILED. */
  async settled(): Promise<void> {
    await this.#settling?.flushed;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#window.empty) return;
    const { flushed } = this.#window;
    this.#settleNow();
    await flushed;
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
    for (const batch of [this.#next, this.#flushing, ...this.pending]) batch?.reject(failure);
    this.#fail(failure);
  }

  /** Waits for what was handed in, and gives LMDB what it can; the rest stays in the journal. Never rejects. */
  async finish(): Promise<void> {
    await Promise.allSettled([this.#flushing?.flushed, this.#next.wanted ? this.#next.flushed : undefined]);
    await this.settled().catch(() => undefined);
    clearTimeout(this.#settleTimer);
  }
}
