/**
 * A lock that is held while a hub starts, so that two `polaron start` at once make one hub.
 * The data folder has its own lock (store/); this one only keeps the second start's answer sensible.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PolaronError } from '../model/errors.ts';
import { tryLock } from '../executors/process/lock-file.ts';

/** Takes the lock, waiting at most `waitMs` for a living holder. Answers with what gives it back. Raises START_FAILED. */
export async function takeStartLock(file: string, waitMs: number): Promise<() => void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const taken = tryLock(file);
    if ('release' in taken) return taken.release;
    if (performance.now() > deadline)
      throw new PolaronError('START_FAILED', `another start (pid ${taken.holder?.pid ?? '?'}) holds ${file}`, {
        help: 'Wait for it, or end it with `polaron stop`.',
      });
    await sleep(25);
  }
}
