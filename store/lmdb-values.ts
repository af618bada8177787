/** The small values in LMDB as a whole: how many there are, and which. */
import type { Database, Key } from 'lmdb';
import { PolaronError } from '../model/errors.ts';
import { isDigest, type Digest } from '../model/ids.ts';

type Values = Database<Uint8Array, Uint8Array>;

const PIECE = 1_000;

export function countOf(db: { getStats(): object }): number {
  const stats = db.getStats();
  return 'entryCount' in stats && typeof stats.entryCount === 'number' ? stats.entryCount : 0;
}

/** All entries, as many as LMDB says there are: in a damaged file a walk may have no end. Raises DATA_DAMAGED. */
export function* entriesOf<K extends Key>(db: Database<Uint8Array, K>): Generator<{ key: K; value: Uint8Array }> {
  let left = countOf(db);
  for (const entry of db.getRange({})) {
    if (left-- === 0) throw new PolaronError('DATA_DAMAGED', 'LMDB lists more entries than it has');
    yield entry;
  }
  if (left > 0) throw new PolaronError('DATA_DAMAGED', `LMDB lists ${left} entries less than it has`);
}

/** Their digests in order, in pieces; each piece sees what is stored then. */
export function* listValues(values: Values): Generator<readonly Digest[]> {
  let after = new Uint8Array();
  for (;;) {
    const keys = [...values.getKeys({ start: after, limit: PIECE })];
    const last = keys.at(-1);
    if (last === undefined) return;
    yield keys.map((key) => Buffer.from(key).toString('hex')).filter(isDigest);
    // the smallest key that comes after it
    after = Buffer.concat([last, Buffer.alloc(1)]);
  }
}
