/**
 * Who a pid is: pids are reused, so a process is told by its pid and its start time together.
 * Linux reads /proc, macOS asks `ps`. Not here: records of our processes (instances.ts), ending them (end-processes.ts).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Opaque; equal only for the same process of the same boot. */
  readonly startTime: string;
}

/** A living process, or undefined when there is none of this pid. A zombie is not living: nothing of it runs. */
export function processInfo(pid: number): ProcessInfo | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? fromProc(pid) : fromPs(['-p', String(pid)])[0];
}

/** All living processes that we may see. */
export function listProcesses(): readonly ProcessInfo[] {
  if (process.platform !== 'linux') return fromPs(['-A']);
  const found: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
    const info = /^\d+$/.test(name) ? fromProc(Number(name)) : undefined;
    if (info !== undefined) found.push(info);
  }
  return found;
}

let bootId: string | undefined;
function currentBoot(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootId;
}

/** proc(5), /proc/pid/stat: `pid (name) state ppid pgrp … starttime`; the name may hold spaces and brackets. */
function fromProc(pid: number): ProcessInfo | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const ticks = fields[19];
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), group: Number(group), startTime: `${ticks}@${currentBoot()}` };
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
    const [, pid, parent, group, state, startTime] = match ?? [];
    if (startTime === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), startTime }];
  });
}
