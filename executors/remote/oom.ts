/** The kernel's killing when a container's memory is used up: who is to go first, and how often it has happened. Linux; elsewhere nothing is known. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Of the control group that this process sees as its own: cgroup v2, and v1. */
const COUNTERS = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'];
/** Between what everybody has, 0, and what nobody should outlive, 1000. */
const FIRST_TO_GO = '500';

/** How many processes have been killed for memory here; undefined where that isn't told. */
export function memoryKills(): number | undefined {
  for (const file of COUNTERS) {
    try {
      const count = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'latin1'))?.[1];
      if (count !== undefined) return Number(count);
    } catch {
      continue; // the other version, or no container
    }
  }
  return undefined;
}

/** A process, and what it will start, goes before whoever watches over it. */
export function letGoFirst(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, FIRST_TO_GO);
  } catch {
    return; // gone, or another system
  }
}
