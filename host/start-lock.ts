/**
 * A lock file that is held while a hub starts, so that two `polaron start` at once make one hub.
 * It names its holder by pid and start time: one left by a killed process is taken over, never waited for.
 * The data folder has its own lock (store/); this one only keeps the second start's answer sensible.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PolaronError } from '../model/errors.ts';
import { isLiving } from './instances.ts';
import { processInfo } from '../executors/process/process-table.ts';

interface Holder {
  readonly pid: number;
  readonly startTime: string;
}

/** Takes the lock, waiting at most `waitMs` for a living holder. Answers with what gives it back. Raises START_FAILED. */
export async function takeStartLock(file: string, waitMs: number): Promise<() => void> {
  const me = processInfo(process.pid);
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, startTime: me?.startTime ?? '' }), { mode: 0o600 });
  try {
    const deadline = performance.now() + waitMs;
    while (!link(mine, file)) {
      const holder = readHolder(file);
      if (holder !== undefined && !isLiving(holder)) removeStale(file, mine);
      else if (performance.now() > deadline) {
        throw new PolaronError('START_FAILED', `another start (pid ${holder?.pid ?? '?'}) holds ${file}`, {
          help: 'Wait for it, or end it with `polaron stop`.',
        });
      } else await sleep(25);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => {
    if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

/** Atomic: exactly one of several links wins. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the lock aside first: if somebody else took over meanwhile, theirs is put back. */
function removeStale(file: string, mine: string): void {
  const aside = `${mine}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return; // somebody else did
  }
  const holder = readHolder(aside);
  if (holder !== undefined && isLiving(holder)) link(aside, file);
  rmSync(aside, { force: true });
}

/** Undefined when there is no lock now. A file that isn't a lock counts as one of a dead holder. */
function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (isHolder(parsed)) return parsed;
  } catch {
    // not JSON: not written by us
  }
  return { pid: 0, startTime: '' };
}

const isHolder = (x: unknown): x is Holder =>
  typeof x === 'object' &&
  x !== null &&
  'pid' in x &&
  typeof x.pid === 'number' &&
  'startTime' in x &&
  typeof x.startTime === 'string';
