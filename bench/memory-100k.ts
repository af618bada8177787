/**
 * How much anonymous memory does the hub take for a lattice of 100,000 separate electrons (no map), durable, on a default agent?
 * Its peak while it runs, sampled every 50 ms, and what is left a moment after. Not measured: large values, LMDB's map (RssFile).
 */
import { dispatch, getResult, lattice } from 'polaron';
import type { BenchHub } from './hub.ts';
import { count, noop } from './noop.ts';
import { tidy } from './statistics.ts';
import { check } from './workload.ts';

const electrons = 100_000;
const limitMiB = 500;
const deadlineMs = 180_000;
const wide = lattice(function wide(first: number) {
  return count(Array.from({ length: electrons - 1 }, (_, index) => noop(first + index)));
});

export interface MemoryFigures {
  readonly beforeMiB: number;
  readonly peakMiB: number;
  readonly afterMiB: number;
  readonly seconds: number;
  /** False: stopped waiting after three minutes. The memory figures are then those of an unfinished lattice. */
  readonly completed: boolean;
  readonly limitMiB: number;
  readonly met: boolean;
}

/** Undefined where the kernel doesn't say (no /proc). */
export async function measureMemory(hub: BenchHub): Promise<MemoryFigures | undefined> {
  const before = hub.rssAnonMiB();
  if (before === undefined) return undefined;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, hub.rssAnonMiB() ?? 0);
  }, 50);
  try {
    const began = performance.now();
    const id = await dispatch(wide)(0);
    const result = await getResult(id, { wait: true, signal: AbortSignal.timeout(deadlineMs) }).catch(timedOut);
    const seconds = (performance.now() - began) / 1_000;
    const completed = result?.status === 'completed';
    if (completed) check(result.value, electrons - 1);
    const after = hub.rssAnonMiB() ?? 0;
    peak = Math.max(peak, after);
    return {
      beforeMiB: tidy(before),
      peakMiB: tidy(peak),
      afterMiB: tidy(after),
      seconds: tidy(seconds),
      completed,
      limitMiB,
      met: completed && peak <= limitMiB,
    };
  } finally {
    clearInterval(timer);
  }
}

function timedOut(error: unknown): undefined {
  if (error instanceof DOMException && error.name === 'TimeoutError') return undefined;
  throw error;
}
