/**
 * How much anonymous memory does the hub take for a lattice of 100,000 separate electrons (no map), durable?
 * Its peak while it runs, sampled every 50 ms, and what is left a moment after.
 */
import { dispatch, getResult, lattice } from 'polaron';
import { count, noop } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { tidy } from './statistics.ts';
import { check } from './workload.ts';

const electrons = 100_000;
const deadlineMs = 180_000;
const peakGoal = { what: 'peak of the hub’s RssAnon, MiB', limit: { atMost: 500 } };
const wide = lattice(function wide(first: number) {
  return count(Array.from({ length: electrons - 1 }, (_, index) => noop(first + index)));
});

export const memory: Question = {
  id: 'memory',
  asks: `memory of the hub for ${electrons} electrons in one lattice`,
  bus: 'each',
  goals: [peakGoal],
  notMeasured: ['large values, LMDB’s map (RssFile)'],
  measure,
};

/** Raises Error where the kernel doesn't say (no /proc), or when the lattice doesn't complete within three minutes. */
async function measure(bed: Bed): Promise<Answer> {
  const hub = await bed.freshHub();
  const before = hub.rssAnonMiB();
  if (before === undefined) throw new Error('no /proc here: the memory of a process can’t be read');
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, hub.rssAnonMiB() ?? 0);
  }, 50);
  try {
    const began = performance.now();
    const id = await dispatch(wide)(0);
    const result = await getResult(id, { wait: true, signal: AbortSignal.timeout(deadlineMs) });
    const seconds = (performance.now() - began) / 1_000;
    check(result.status === 'completed' ? result.value : result.status, electrons - 1);
    const after = hub.rssAnonMiB() ?? 0;
    peak = Math.max(peak, after);
    const figures = {
      beforeMiB: tidy(before),
      peakMiB: tidy(peak),
      afterMiB: tidy(after),
      seconds: tidy(seconds),
    };
    return { figures, got: { [peakGoal.what]: peak }, text: `${figures.peakMiB} MiB in ${figures.seconds} s` };
  } finally {
    clearInterval(timer);
  }
}
