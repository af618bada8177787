/**
 * A lock file that names its holder by pid and start time: one left by a killed process is taken over, never waited for.
 * Not here: waiting for a living holder.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { processInfo, startTimeOf } from './process-table.ts';

export interface Holder {
  readonly pid: number;
  readonly startTime: string;
}

/** A try to take a lock: what gives it back, or who has it (undefined: that changed just now). */
export type LockTry = { readonly release: () => void } | { readonly holder: Holder | undefined };

/** Raises the system's error when the folder can't be written. */
export function tryLock(file: string): LockTry {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) ?? '' }), { mode: 0o600 });
  try {
    if (link(mine, file)) return { release: () => release(file) };
    const holder = readHolder(file);
    if (holder === undefined || isLiving(holder)) return { holder };
    removeStale(file, mine);
    return link(mine, file) ? { release: () => release(file) } : { holder: readHolder(file) };
  } finally {
    rmSync(mine, { force: true });
  }
}

const isLiving = ({ pid, startTime }: Holder): boolean => processInfo(pid)?.startTime === startTime;

function release(file: string): void {
  if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true });
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
