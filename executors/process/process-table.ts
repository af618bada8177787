/**
 * What the operating system knows of processes: pids are reused, so a process is told by its pid and its start time together.
 * Linux reads /proc, elsewhere `ps` is asked. Not here: records of our processes (host/instances.ts), and ending whole trees of them (host/end-processes.ts).
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Of the session's leader; undefined where `ps` doesn't tell. */
  readonly session: number | undefined;
  /** Opaque, without spaces; equal only for the same process of the same boot. */
  readonly startTime: string;
}

const onLinux = process.platform === 'linux';

/** A living process, or undefined when there is none of this pid. A zombie is not living: nothing of it runs. */
export function processInfo(pid: number): ProcessInfo | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return onLinux ? fromProc(pid) : fromPs(['-p', String(pid)])[0];
}

/** All living processes that we may see. */
export function listProcesses(): readonly ProcessInfo[] {
  if (!onLinux) return fromPs(['-A']);
  return readdirSync('/proc').flatMap((name) => {
    const info = /^\d+$/.test(name) ? fromProc(Number(name)) : undefined;
    return info === undefined ? [] : [info];
  });
}

/** A text that no other process of this pid has. Undefined when there is no such process. */
export const startTimeOf = (pid: number): string | undefined => processInfo(pid)?.startTime;

/**
 * Kills the group that `pid` led, when it is still the one that began at `start`; members that outlived their leader too.
 * Returns whether something was killed.
 */
export function killGroupOf(pid: number, start: string): boolean {
  const now = startTimeOf(pid);
  if (now !== undefined) return now === start && signalGroup(pid, 'SIGKILL');
  // a pid isn't given out again while a group of that number lives: the members' session and age say if it is ours
  if (!onLinux || !start.endsWith(`@${bootId()}`)) return false;
  const began = ticksOf(start);
  const ours = listProcesses().some(
    ({ group, session, startTime }) => group === pid && session === pid && ticksOf(startTime) >= began,
  );
  return ours && signalGroup(pid, 'SIGKILL');
}

/**
 * Kills all processes whose environment has a wanted value of this name: what a process starts inherits it, in whatever group or session.
 * Only where /proc shows environments. Reads every process: one call for many values costs what one for one does.
 */
export function killMarked(variable: string, wanted: (value: string) => boolean): void {
  if (!onLinux) return;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid) || pid === process.pid) continue;
    const value = inEnvironment(pid, variable);
    if (value !== undefined && wanted(value)) kill(pid);
  }
}

/** Of the variable in the environment that it was started with; undefined also when it is gone, or another user's. */
function inEnvironment(pid: number, variable: string): string | undefined {
  const before = `\0${variable}=`;
  try {
    const all = `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
    const at = all.indexOf(before) + before.length;
    return at >= before.length ? all.slice(at, all.indexOf('\0', at)) : undefined;
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone, or another user's
  }
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
function residentBytes(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
    return Number.isFinite(pages) ? pages * 4_096 : undefined;
  } catch {
    return undefined;
  }
}

/** Of a process and of all that descends from it. */
export function residentBytesOfTree(pid: number): number {
  let bytes = 0;
  const pids = [pid];
  for (let next = pids.pop(); next !== undefined; next = pids.pop()) {
    bytes += residentBytes(next) ?? 0;
    pids.push(...childrenOf(next));
  }
  return bytes;
}

/**
 * Kills what ended threads of a living process had started, and all that descends from it, whatever its environment, group or session: the kernel gives it to the first thread, which must have
 * started nothing itself. `spared`: by the value of this variable in their environment, which tells what a thread that goes on had started by one of its own. Only where /proc tells.
 */
export function killLeftByThreads(pid: number, variable: string, spared: (value: string) => boolean): void {
  for (const child of startedBy(pid, pid)) {
    const value = inEnvironment(child, variable);
    if (value === undefined || !spared(value)) killTree(child);
  }
}

/** Kills a process and all that descends from it, as far as /proc tells. */
export function killTree(pid: number): void {
  // they have another parent as soon as this one is gone
  const children = childrenOf(pid);
  kill(pid);
  for (const child of children) killTree(child);
}

/** What its threads have started; nothing where /proc doesn't tell. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => startedBy(pid, Number(thread)));
  } catch {
    return [];
  }
}

/** proc(5), /proc/pid/task/tid/children. */
function startedBy(pid: number, thread: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** proc(5), /proc/pid/stat: `pid (name) state ppid pgrp session … starttime`; the name may hold spaces and brackets. */
function fromProc(pid: number): ProcessInfo | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const ticks = fields[19];
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTime: `${ticks}@${bootId()}`,
  };
}

/** Clock ticks from the machine's boot to the process's start. */
const ticksOf = (startTime: string): number => Number(startTime.slice(0, startTime.indexOf('@')));

let boot: string | undefined;
function bootId(): string {
  boot ??= readBootId();
  return boot;
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return 'unknown'; // not every container shows it
  }
}

function fromPs(which: readonly string[]): readonly ProcessInfo[] {
  let text: string;
  try {
    text = execFileSync('ps', [...which, '-o', 'pid=,ppid=,pgid=,stat=,lstart='], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return []; // ps exits 1 when there is no such process
  }
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    const [, pid, parent, group, state, began] = match ?? [];
    if (began === undefined || state?.startsWith('Z') === true) return [];
    const startTime = began.replaceAll(/\s+/g, '-');
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), session: undefined, startTime }];
  });
}
