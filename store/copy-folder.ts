/**
 * A data folder's copy, as it is at one moment: LMDB's own snapshot, and the files of large values. Files never change and none is removed meanwhile (the
 * caller sees to that), and a record is written after the file that it names: so the files that exist after the snapshot are all that it names, and more.
 * The copy carries a mark that makes its first open begin a new history. Not here: who may ask for one (host/backup.ts).
 */
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { PolaronError } from '../model/errors.ts';
import { syncFolder } from './blob-files.ts';
import { listBlobs } from './blob-sweep.ts';

/** In a copy: whoever opens it first gives it a new history, and removes the file. */
export const RESTORED_FILE = 'restored-from-backup';
/** In a folder that is being copied into. */
export const UNFINISHED_FILE = 'unfinished-backup';

export interface Copied {
  /** Files of large values. */
  readonly values: number;
  /** Of all that was copied. */
  readonly bytes: number;
}

/** Files copied at once. */
const AT_ONCE = 4;
const LEFT_FREE_BYTES = 16 * 1024 * 1024;

/** Into an existing folder; all of it is on disk when this resolves. Raises DISK_FULL. */
export async function copyFolder(
  root: RootDatabase<Uint8Array, string>,
  source: { readonly records: string; readonly blobs: string },
  target: string,
): Promise<Copied> {
  await checkRoom(source, target);
  const records = join(target, 'records');
  await mkdir(records, { mode: 0o700 });
  await writeFile(join(target, RESTORED_FILE), `${new Date().toISOString()}\n`, { mode: 0o600 });
  // a compact copy is one transaction's pages, and writers go on meanwhile
  await root.backup(records, true);
  const copied = join(records, 'data.mdb');
  await syncFile(copied);
  let bytes = (await stat(copied)).size;
  let values = 0;
  const blobs = join(target, 'blobs');
  await mkdir(join(blobs, 'tmp'), { recursive: true, mode: 0o700 });
  for await (const digests of listBlobs(source.blobs)) {
    const part = digests[0]?.slice(0, 2) ?? '';
    await mkdir(join(blobs, part), { mode: 0o700 });
    const rest = digests.values();
    const worker = async (): Promise<void> => {
      for (const digest of rest) {
        const to = join(blobs, part, digest);
        await copyFile(join(source.blobs, part, digest), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        await syncFile(to);
        // not `bytes += (await …)`: that reads the sum before it waits, and loses what the other workers add meanwhile
        const { size } = await stat(to);
        bytes += size;
        values++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await syncFolder(join(blobs, part));
  }
  for (const folder of [blobs, records, target]) await syncFolder(folder);
  return { values, bytes };
}

/** L5 of write-queue.ts holds here, too: LMDB had better not meet a full disk. */
async function checkRoom(source: { readonly records: string; readonly blobs: string }, target: string): Promise<void> {
  let wanted = (await stat(join(source.records, 'data.mdb'))).size + LEFT_FREE_BYTES;
  for (const entry of await readdir(source.blobs, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) wanted += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  const { bavail, bsize } = await statfs(target);
  const free = bavail * bsize;
  if (free < wanted)
    throw new PolaronError('DISK_FULL', `a copy takes up to ${wanted} bytes; ${free} are free in ${target}`, {
      details: { wanted, free },
    });
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
