/**
 * What becomes of a hub whose store or actors failed: its memory is dropped, and it begins again from disk.
 * A disk without room is waited for, however long; anything else that fails too often in a row ends the hub.
 */
import type { Clock } from '../model/clock.ts';
import { deferred } from '../model/deferred.ts';
import { asPolaronError, PolaronError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';

export interface RecoveryOptions {
  /** Begins from disk. `onFatal` may be called at any time, during it too. */
  readonly begin: (onFatal: (error: Error) => void) => Promise<void>;
  /** Drops all memory, and closes the store. */
  readonly drop: () => Promise<void>;
  readonly outOfRoom: () => boolean;
  /** It can't go on. */
  readonly giveUp: (error: Error) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const MOST_IN_A_ROW = 5;
const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** What ran for so long didn't fail in a row, ms. */
const SETTLED_MS = 60_000;

/** What was due didn't fit, though the disk isn't full. */
const isForRoom = (error: unknown): boolean =>
  error instanceof PolaronError && (error.code === 'DISK_FULL' || isForRoom(error.cause));

/** Begins, and begins again after each failure. Rejects when the first beginning fails. Returns what ends it. */
export async function keepRunning(o: RecoveryOptions): Promise<() => void> {
  const { clock, log } = o;
  let stopped = false;
  /** Resolves when it runs, with the promise of its failure (wrapped: a promise of a promise would be awaited). */
  const attempt = async (): Promise<{ readonly failure: Promise<Error> }> => {
    const failure = deferred<Error>();
    const failed = failure.promise.then((error): never => {
      throw error;
    });
    await Promise.race([o.begin((error) => failure.resolve(error)), failed]);
    return { failure: failure.promise };
  };
  const recover = async (first: Promise<Error>): Promise<void> => {
    let error = await first;
    // oxlint-disable-next-line no-unmodified-loop-condition -- changed by what this function returns
    for (let inARow = 1; !stopped; inARow++) {
      await o.drop();
      log('error', `recovering from disk: ${error.message}`, { inARow });
      if (inARow > MOST_IN_A_ROW && !o.outOfRoom() && !isForRoom(error)) {
        o.giveUp(error);
        return;
      }
      await new Promise<void>((resolve) => clock.after(Math.min(LONGEST_PAUSE_MS, PAUSE_MS * inARow), resolve));
      if (stopped) return;
      const since = clock.monotonic();
      try {
        const { failure } = await attempt();
        log('info', 'recovered from disk');
        error = await failure;
      } catch (failed) {
        error = asPolaronError(failed, 'STORE_FAILED');
      }
      if (clock.monotonic() - since > SETTLED_MS) inARow = 0;
    }
  };
  const { failure } = await attempt();
  recover(failure).catch((error: unknown) => o.giveUp(asPolaronError(error, 'STORE_FAILED')));
  return () => {
    stopped = true;
  };
}
