/**
 * One hub per data folder. The lock is a file that names its holder: pid, when that process started, and the boot it belongs to. A lock whose
 * holder is gone (SIGKILL, power cut, pid used again) is taken over, so nothing left behind blocks a start. A bound socket would be released by
 * the kernel, but an abstract one is missing on macOS and blind across network namespaces, and one with a path stays behind just like a file.
 *
 * K1. A lock file appears complete: it is written aside and `link`ed, which fails if there is one.
 * K2. A stale lock is renamed away first. Whoever finds that he renamed a living one puts it back and gives up.
 */
import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolaronError } from '../model/errors.ts';

interface Holder {
  readonly pid: number;
  /** Tells processes of one pid apart. */
  readonly started: string;
}

/** Folders locked by this process: its own lock file would otherwise look like that of a living other. */
const ours = new Set<string>();
let attempts = 0;

const lockFile = (folder: string): string => join(folder, 'polaron.lock');

/** Takes the folder; call the result to let it go. Raises DATA_IN_USE naming the holder's pid. */
export function lockFolder(folder: string): () => void {
  const path = lockFile(folder);
  const me: Holder = { pid: process.pid, started: startOf(process.pid) ?? 'unknown' };
  const aside = `${path}.${process.pid}.${++attempts}`;
  writeFileSync(aside, JSON.stringify(me), { mode: 0o600 });
  try {
    for (let tries = 0; tries < 20; tries++) {
      if (linked(aside, path)) {
        ours.add(path);
        return () => {
          if (ours.delete(path) && sameHolder(holderOf(path), me)) rmSync(path, { force: true });
        };
      }
      const holder = holderOf(path);
      if (holder !== undefined && isAlive(holder, path)) throw inUse(folder, holder);
      removeStale(path, holder, folder);
    }
  } finally {
    rmSync(aside, { force: true });
  }
  throw inUse(folder, holderOf(path));
}

/** Pid of the living process that holds the folder, if any. Takes nothing. */
export function holderOfFolder(folder: string): number | undefined {
  const path = lockFile(folder);
  const holder = holderOf(path);
  return holder !== undefined && isAlive(holder, path) ? holder.pid : undefined;
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function removeStale(path: string, stale: Holder | undefined, folder: string): void {
  const away = `${path}.stale.${process.pid}.${++attempts}`;
  try {
    renameSync(path, away);
  } catch {
    return; // somebody else was quicker
  }
  const moved = holderOf(away);
  if (!sameHolder(moved, stale) && moved !== undefined && isAlive(moved, path)) {
    linked(away, path);
    rmSync(away, { force: true });
    throw inUse(folder, moved);
  }
  rmSync(away, { force: true });
}

function holderOf(path: string): Holder | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof read === 'object' && read !== null && 'pid' in read && 'started' in read) {
      if (typeof read.pid === 'number' && typeof read.started === 'string')
        return { pid: read.pid, started: read.started };
    }
  } catch {
    // none, or not one of ours
  }
  return undefined;
}

const sameHolder = (a: Holder | undefined, b: Holder | undefined): boolean =>
  a?.pid === b?.pid && a?.started === b?.started;

function isAlive(holder: Holder, path: string): boolean {
  // our own pid without a lock of ours: an earlier process had it, unless another copy of this module holds it
  if (holder.pid === process.pid && ours.has(path)) return true;
  const started = startOf(holder.pid);
  return started !== undefined && (started === holder.started || holder.started === 'unknown');
}

/** When the process of this pid began, in words that only its own boot and start give; undefined when there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name in brackets may hold anything; state is the first field behind it, start time the twentieth
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19] ?? ''}`;
  } catch {
    return process.platform === 'linux' ? undefined : startByPs(pid);
  }
}

function startByPs(pid: number): string | undefined {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio }).trim();
    return started === '' ? undefined : started;
  } catch {
    return undefined;
  }
}

function inUse(folder: string, holder: Holder | undefined): PolaronError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`;
  return new PolaronError('DATA_IN_USE', `data folder ${folder} is in use by ${who}`, {
    details: { path: folder, ...(holder === undefined ? {} : { pid: holder.pid }) },
  });
}
