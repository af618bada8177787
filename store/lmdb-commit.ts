/**
 * One commit of LMDB: all of a batch's puts and removes in one turn of the event loop, which lmdb-js makes one transaction, with the number of the last
 * batch of the journal in it. Never transaction(): it is reordered. After one that failed, or gave no word, nothing may be sent to LMDB any more: the next
 * small put could succeed and leave a hole.
 */
import type { Database } from 'lmdb';
import { SETTLED_KEY, type OpenFolder } from './lmdb-open.ts';
import type { Changes } from './write-batch.ts';

export type CommitTarget = Pick<OpenFolder, 'about' | 'records' | 'values'>;

/** Resolves when all of it is flushed. Raises what LMDB says. */
export async function commitToLmdb(
  { about, records, values }: CommitTarget,
  changes: Changes,
  settled: number,
): Promise<void> {
  const results = new Set<Promise<boolean>>();
  for (const [digest, bytes] of changes.values) {
    const key = Buffer.from(digest, 'hex');
    results.add(bytes === undefined ? values.remove(key) : values.put(key, bytes));
  }
  for (const [key, bytes] of changes.records)
    results.add(bytes === undefined ? records.remove(key) : records.put(key, bytes));
  results.add(about.put(SETTLED_KEY, Buffer.from(String(settled))));
  // lmdb-js begins the batch in the next turn, with a promise of its own that rejects with the rest: unheard, it would end the process.
  setImmediate(() => void records.committed.then(undefined, () => undefined));
  await flushOf(results, records);
  // it may keep its snapshot until the next microtask, and what was committed is read from LMDB from now on
  records.resetReadTxn();
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
