/** The store of a data folder together with its spare room: for the hub, or the result manager's own process. */
import type { CopyData } from '../actors/results/upkeep.ts';
import type { Log } from '../model/log.ts';
import { maxValueBytesOf } from '../model/value-limit.ts';
import { openLmdbStore } from '../store/lmdb-store.ts';
import type { Store } from '../store/store.ts';
import { backupInto } from './backup.ts';
import { keepSpareRoom, releaseSpareRoom } from './spare-room.ts';
import { systemClock } from './system-clock.ts';

export interface DataStore {
  readonly store: Store;
  /** Makes a backup; see backup.ts. */
  readonly copy: CopyData;
  /** Waits for what is queued, unless the store has failed; never rejects. */
  close(): Promise<void>;
}

/** Raises DATA_IN_USE, DATA_NEWER, DATA_NOT_WRITABLE, DATA_DAMAGED. */
export async function openDataStore(data: string, log: Log): Promise<DataStore> {
  const store = await openLmdbStore({ path: data, log, maxValueBytes: maxValueBytesOf(process.env) }).catch(
    (error: unknown) => {
      releaseSpareRoom(data);
      throw error;
    },
  );
  const end = keepSpareRoom(data, systemClock);
  let failed = false;
  void store.failed.then(() => {
    failed = true;
  });
  return {
    store,
    copy: (folder, ticket) => backupInto(data, (to) => store.copyTo(to), folder, ticket),
    close: async () => {
      await end();
      await store.close().catch(() => undefined); // a failed one has nothing left to save
      if (failed) releaseSpareRoom(data);
    },
  };
}
