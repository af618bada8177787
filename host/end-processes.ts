/**
 * Ends processes and everything below them: SIGTERM, wait, SIGKILL of the process group.
 *
 * E1. No signal goes to a pid whose start time isn't the one that was seen: a reused pid is never hit.
 * E2. The targets are the given processes, their descendants, and the members of groups that one of these leads; looked up again at each
 *     step, since a process may start others while it ends.
 * E3. SIGTERM goes to the given processes first, so that they can end what they started in their own way; to the rest once those are gone.
 * E4. The calling process and its ancestors are never targets.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PolaronError } from '../model/errors.ts';
import { listProcesses, processInfo } from '../executors/process/process-table.ts';
import type { ProcessInfo } from '../executors/process/process-table.ts';

/** What tells a process: see process-table.ts. */
export interface Target {
  readonly pid: number;
  readonly startTime: string;
}

export interface Ended {
  readonly pid: number;
  /** `ended`: by itself after SIGTERM. */
  readonly how: 'ended' | 'killed';
}

export interface EndOptions {
  /** How long they may take after SIGTERM, ms. */
  readonly graceMs: number;
  /** How long they may take after SIGKILL, ms. @default 5000 */
  readonly killMs?: number;
}

const POLL_MS = 20;
const key = (target: Target): string => `${target.pid}:${target.startTime}`;

/**
 * Ends `roots` and what they started; resolves when none of it runs. Answers with what became of each root.
 * Raises NOT_ALLOWED when a process can't be ended.
 */
export async function endProcesses(roots: readonly Target[], options: EndOptions): Promise<readonly Ended[]> {
  const targets = new Map(roots.map((root) => [key(root), root]));
  widen(targets);
  for (const root of roots) signal(root, 'SIGTERM', false);
  const told = new Set(roots.map(key));
  const rootKeys = new Set(told);
  const afterGrace = await waitUntilGone(targets, options.graceMs, (left) => {
    if (left.some((target) => rootKeys.has(key(target)))) return;
    for (const target of left) {
      if (!told.has(key(target))) signal(target, 'SIGTERM', false);
      told.add(key(target));
    }
  });
  const killed = new Set(afterGrace.map(key));
  const deadline = performance.now() + (options.killMs ?? 5_000);
  let left = afterGrace;
  while (left.length > 0) {
    for (const target of left) signal(target, 'SIGKILL', true);
    left = await waitUntilGone(targets, POLL_MS * 2);
    if (left.length > 0 && performance.now() > deadline) {
      throw new PolaronError('NOT_ALLOWED', `process ${left.map(({ pid }) => pid).join(', ')} could not be ended`, {
        help: 'Look at it with `ps`; it may belong to another user or hang in the kernel.',
      });
    }
  }
  return roots.map((root) => ({ pid: root.pid, how: killed.has(key(root)) ? 'killed' : 'ended' }));
}

/** Waits until no target lives; answers with those that do after `waitMs`. `each` sees them at every look. */
async function waitUntilGone(
  targets: Map<string, Target>,
  waitMs: number,
  each?: (left: readonly Target[]) => void,
): Promise<readonly Target[]> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const left = widen(targets);
    if (left.length === 0 || performance.now() >= deadline) return left;
    each?.(left);
    await sleep(POLL_MS);
  }
}

/** Adds what the targets started (E2) and answers with those that live. */
function widen(targets: Map<string, Target>): readonly ProcessInfo[] {
  const all = listProcesses();
  const spared = ownLine(all);
  const living = all.filter((info) => targets.has(key(info)) && !spared.has(info.pid));
  const pids = new Set(living.map(({ pid }) => pid));
  for (let grown = true; grown; ) {
    grown = false;
    for (const info of all) {
      if (pids.has(info.pid) || spared.has(info.pid)) continue;
      // A group id stays taken while the group has members, so a leader among our living targets makes its members ours.
      if (!pids.has(info.parent) && !pids.has(info.group)) continue;
      pids.add(info.pid);
      living.push(info);
      targets.set(key(info), { pid: info.pid, startTime: info.startTime });
      grown = true;
    }
  }
  return living;
}

/** This process and its ancestors. */
function ownLine(all: readonly ProcessInfo[]): ReadonlySet<number> {
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const line = new Set<number>();
  for (let pid: number | undefined = process.pid; pid !== undefined && !line.has(pid); pid = parents.get(pid))
    line.add(pid);
  return line;
}

/** E1: looks at the process once more, right before the signal. */
function signal(target: Target, name: 'SIGTERM' | 'SIGKILL', wholeGroup: boolean): void {
  const info = processInfo(target.pid);
  if (info === undefined || info.startTime !== target.startTime) return;
  try {
    process.kill(wholeGroup && info.group === info.pid ? -info.pid : info.pid, name);
  } catch {
    // gone meanwhile, or another user's: whoever waits for it finds out
  }
}
