/**
 * Makes LMDB's file as small as what it holds: a compact copy is written beside it, flushed, and renamed over it. At every point the folder has one whole file.
 * Not here: removing values first (host/compact.ts).
 */
import { mkdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PolaronError } from '../model/errors.ts';
import { syncFolder } from './blob-files.ts';
import { COMPACTED, openFolder } from './lmdb-open.ts';

const LEFT_FREE_BYTES = 16 * 1024 * 1024;

/** Bytes of the file before and after. Raises DATA_IN_USE, DATA_DAMAGED, DATA_NEWER, DATA_NOT_WRITABLE, DISK_FULL. */
export async function compactRecords(path: string): Promise<{ readonly before: number; readonly after: number }> {
  const folder = await openFolder(path);
  const records = join(path, 'records');
  const file = join(records, 'data.mdb');
  const beside = join(records, COMPACTED);
  try {
    const before = statSync(file).size;
    const { bavail, bsize } = statfsSync(path);
    const wanted = before + LEFT_FREE_BYTES;
    if (bavail * bsize < wanted)
      throw new PolaronError(
        'DISK_FULL',
        `the copy takes up to ${wanted} bytes; ${bavail * bsize} are free in ${path}`,
      );
    mkdirSync(beside, { mode: 0o700 });
    await folder.root.backup(beside, true);
    const copy = join(beside, 'data.mdb');
    const handle = await open(copy, 'r+');
    await handle.sync();
    await handle.close();
    await folder.root.close();
    renameSync(copy, file);
    await syncFolder(records);
    return { before, after: statSync(file).size };
  } finally {
    rmSync(beside, { recursive: true, force: true });
    await folder.root.close().catch(() => undefined); // closed already, when all went well
    folder.unlock();
  }
}
