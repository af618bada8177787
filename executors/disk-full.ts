/** A disk without room, as the system's errors tell of it. Not here: what is done then. */
import { PolaronError } from '../model/errors.ts';

const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Of any thrown thing. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && FULL.has(error.code);

/** Says `what` has no room; anything but a full disk comes back as it is. */
export const explainedDisk = (error: unknown, what: string): unknown =>
  isDiskFull(error) && error instanceof Error
    ? new PolaronError('DISK_FULL', `${what}: ${error.message}`, { cause: error })
    : error;
