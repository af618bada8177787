/** What the operating system knows of processes: when one began, and which belong to a group. Linux by /proc, elsewhere by `ps`. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const onLinux = process.platform === 'linux';

interface Stat {
  readonly group: number;
  readonly session: number;
  /** Clock ticks since the machine's boot. */
  readonly start: string;
}

/** A text that no other process of this pid has: the machine's boot and the process's start. Undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  if (!onLinux) return psStart(pid);
  const stat = readStat(pid);
  return stat === undefined ? undefined : `${bootId()}:${stat.start}`;
}

/**
 * Kills the group that `pid` led, when it is still the one that began at `start`; members that outlived their leader too.
 * Returns whether something was killed.
 */
export function killGroupOf(pid: number, start: string): boolean {
  const now = startTimeOf(pid);
  if (now !== undefined) return now === start && signalGroup(pid, 'SIGKILL');
  // a pid isn't given out again while a group of that number lives: the members' session and age say if it is ours
  if (!onLinux || !start.startsWith(`${bootId()}:`)) return false;
  const began = Number(start.slice(start.indexOf(':') + 1));
  const ours = readdirSync('/proc').some((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    return stat !== undefined && stat.group === pid && stat.session === pid && Number(stat.start) >= began;
  });
  return ours && signalGroup(pid, 'SIGKILL');
}

/** Signals a process group. False when there is none. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Resident memory in bytes; undefined where it can't be told. */
export function residentBytes(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
    return Number.isFinite(pages) ? pages * 4_096 : undefined;
  } catch {
    return undefined;
  }
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the command name may hold anything, parentheses too
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { group: Number(fields[2]), session: Number(fields[3]), start: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

let boot: string | undefined;
function bootId(): string {
  boot ??= readBootId();
  return boot;
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return 'unknown';
  }
}

function psStart(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.trim().replaceAll(/\s+/g, '-') || undefined;
  } catch {
    return undefined;
  }
}
