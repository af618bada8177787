/** `polaron compact`: with the hub stopped, removes what nothing refers to, then makes LMDB's file small. */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LiveDispatches } from '../actors/results/live.ts';
import { sweep } from '../actors/results/sweep.ts';
import { RecordWriter } from '../actors/results/writer.ts';
import { PolaronError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';
import { compactRecords } from '../store/compact.ts';
import { openLmdbStore } from '../store/lmdb-store.ts';
import { systemClock } from './system-clock.ts';

export interface Compacted {
  /** Values removed, and their bytes. */
  readonly values: number;
  readonly bytes: number;
  /** Size of LMDB's file. */
  readonly before: number;
  readonly after: number;
}

/** Raises USAGE, DATA_IN_USE, DATA_DAMAGED, DATA_NEWER, DATA_NOT_WRITABLE, DISK_FULL. */
export async function compactData(data: string, log: Log): Promise<Compacted> {
  requireDataFolder(data);
  // Nobody runs who could have found a value; who believes that it is there uploads it again when he is told that it isn't.
  const store = await openLmdbStore({ path: data, log, pinMs: 0 });
  let dropped: { readonly values: number; readonly bytes: number };
  try {
    const live = new LiveDispatches();
    const writer = new RecordWriter(store, live, () => undefined);
    const { values, bytes } = await sweep({ store, live, writer, clock: systemClock }, randomInt(8));
    dropped = { values, bytes };
  } finally {
    await store.close();
  }
  return { ...dropped, ...(await compactRecords(data)) };
}

/** A folder that is looked at is never made. Raises USAGE. */
export function requireDataFolder(data: string): void {
  if (!existsSync(join(data, 'records', 'data.mdb')))
    throw new PolaronError('USAGE', `${data} is not a data folder: it has no records/data.mdb`, {
      help: 'Name one with --data.',
    });
}
