/**
 * Refuses an older Node with one clear line. Imported before everything else of the SDK, so it imports nothing itself
 * but the error class. Not here: what else the platform must offer.
 */
import { PolaronError } from '../../model/errors.ts';

/** Oldest Node that Polaron runs on. */
export const OLDEST_NODE = '20.19.0';

/** Raises NODE_TOO_OLD when `version` (`process.versions.node`) is older than `OLDEST_NODE`. */
export function checkNodeVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  const error = new PolaronError(
    'NODE_TOO_OLD',
    `polaron needs Node ${oldestMajor}.${oldestMinor} or newer; this is Node ${version}: install a newer one`,
  );
  // One line is all the reader needs: the stack would only name our own files.
  error.stack = `${error.name} [${error.code}]: ${error.message}`;
  throw error;
}

checkNodeVersion(process.versions.node);
