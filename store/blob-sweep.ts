/**
 * Files of large values as the sweep sees them: which there are, and taking one away.
 * A file that goes is renamed in the turn in which that is decided, so that nobody finds it any more, and unlinked afterwards.
 */
import { renameSync, statSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, type Digest } from '../model/ids.ts';

const GONE = '.gone';
const PART = '.part';
/** Uploads that nobody went on with for so long are given up, ms. */
const ABANDONED_MS = 24 * 3_600_000;

/** The digests of a folder's files, one subfolder at a time. */
export async function* listBlobs(folder: string): AsyncGenerator<readonly Digest[]> {
  for (const name of await readdir(folder)) {
    if (!/^[0-9a-f]{2}$/.test(name)) continue;
    const digests = (await readdir(join(folder, name))).filter(isDigest);
    if (digests.length > 0) yield digests;
  }
}

/** Takes a file away unless it was touched after `untouchedSinceMs`; its bytes, or undefined when it stays or there is none. */
export function dropBlob(folder: string, digest: Digest, untouchedSinceMs: number): number | undefined {
  const path = join(folder, digest.slice(0, 2), digest);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.mtimeMs > untouchedSinceMs) return undefined;
  const away = join(folder, 'tmp', `${digest}${GONE}`);
  renameSync(path, away);
  void rm(away, { force: true }).catch(() => undefined); // the next start tries again
  return found.size;
}

/** Removes what a stop in the middle of a removal left, and uploads that were given up. */
export async function clearLeftovers(folder: string, nowMs: number): Promise<void> {
  const temporary = join(folder, 'tmp');
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    if (name.endsWith(GONE) || (name.endsWith(PART) && (await stat(path)).mtimeMs < nowMs - ABANDONED_MS))
      await rm(path, { force: true });
  }
}
