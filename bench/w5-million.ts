/**
 * W5: does one lattice of a million electrons (a map over a list) run as fast at its end as at its beginning, and in how much memory? Tasks/s from dispatch to
 * value, the making, cutting and joining of the list included; the time of each tenth of the items, from the counts that the hub tells; the hub's anonymous
 * memory, sampled every 100 ms. One run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatch, getResult, getValue, lattice } from 'polaron';
import type { BenchHub } from './hub.ts';
import { count, noop, range } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { median, tidy } from './statistics.ts';
import { check } from './workload.ts';

const size = 1_000_000;
const deadlineMs = 600_000;
const sampleMs = 100;
/** Electrons of each lattice before it: what isn't compiled yet is slower at the beginning. */
const warm = 20_000;
const mapped = lattice(function mapped(length: number) {
  return count(range(length).map(noop));
});

const rateGoal = { what: 'tasks/s ÷ the bare loop’s, 1,000 in flight', limit: { atLeast: 1 / 3 } };
const peakGoal = { what: 'peak of the hub’s RssAnon, MiB', limit: { atMost: 1_536 } };
const tenthGoal = { what: 'time of the last tenth ÷ the first’s', limit: { atMost: 1.2 } };
const sizeGoal = { what: 'electrons', limit: { atLeast: size } };

export const w5: Question = {
  id: 'W5',
  asks: `one lattice of ${size} no-op electrons, a map`,
  bus: 'each',
  goals: [rateGoal, peakGoal, tenthGoal, sizeGoal],
  notMeasured: ['items larger than a number, maps in maps, `concurrency`, a restart of the hub meanwhile'],
  measure,
};

/** Raises Error where the kernel doesn't tell a process's memory (no /proc), or when it takes ten minutes. */
async function measure(bed: Bed): Promise<Answer> {
  const ceiling = await bed.ceiling();
  const hub = await bed.freshHub();
  if (hub.rssAnonMiB() === undefined) throw new Error('no /proc here: the memory of a process can’t be read');
  const electrons = Math.min(size, bed.most ?? size);
  for (let warmUp = 0; warmUp < 3; warmUp++) check(await getValue(await dispatch(mapped)(warm)), warm);
  const bound = median(await ceiling.measure('inFlight1000'));
  const [cpu, began] = [hub.cpuSeconds() ?? 0, performance.now()];
  const { value, samples, peakMiB, beforeMiB } = await sampled(hub, electrons);
  const seconds = (performance.now() - began) / 1_000;
  check(value, electrons);
  const rate = electrons / seconds;
  const tenthsUs = tenths(samples, electrons, ({ at }) => at);
  const lastToFirst = (tenthsUs.at(-1) ?? Number.NaN) / (tenthsUs[0] ?? Number.NaN);
  const figures = {
    electrons,
    seconds: tidy(seconds),
    tasksPerSecond: tidy(rate),
    ceiling: tidy(bound),
    // µs per item.
    tenthsUs: tenthsUs.map(tidy),
    // The hub's process, all its threads: what a machine with other work on it can compare.
    tenthsCpuUs: tenths(samples, electrons, (sample) => sample.cpu).map(tidy),
    hubCpuUs: tidy((((hub.cpuSeconds() ?? 0) - cpu) * 1e6) / electrons),
    beforeMiB: tidy(beforeMiB),
    peakMiB: tidy(peakMiB),
  };
  return {
    figures,
    got: {
      [rateGoal.what]: rate / bound,
      [peakGoal.what]: peakMiB,
      [tenthGoal.what]: lastToFirst,
      [sizeGoal.what]: electrons,
    },
    text: `${figures.tasksPerSecond} tasks/s for ${electrons}, ${figures.hubCpuUs} µs of the hub each, ${figures.peakMiB} MiB; tenths ${figures.tenthsUs.join(' ')} µs`,
  };
}

/** Runs it, and looks at the hub meanwhile. */
async function sampled(
  hub: BenchHub,
  electrons: number,
): Promise<{
  readonly value: number;
  readonly samples: readonly Sample[];
  readonly beforeMiB: number;
  readonly peakMiB: number;
}> {
  const beforeMiB = hub.rssAnonMiB() ?? 0;
  let peakMiB = beforeMiB;
  const samples: Sample[] = [];
  const id = await dispatch(mapped)(electrons);
  const over = new AbortController();
  const sampling = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      peakMiB = Math.max(peakMiB, hub.rssAnonMiB() ?? 0);
      const done = (await getResult(id)).electrons.counts.completed ?? 0;
      samples.push({ at: performance.now(), cpu: (hub.cpuSeconds() ?? 0) * 1_000, done });
      await sleep(sampleMs);
    }
  })();
  const value = await getValue(id, { signal: AbortSignal.timeout(deadlineMs) }).finally(() => over.abort());
  await sampling;
  return { value, samples, beforeMiB, peakMiB };
}

/** Both times in ms. */
interface Sample {
  readonly at: number;
  readonly cpu: number;
  readonly done: number;
}

/** When so many had ended lies between two samples: as if they ended evenly. The electron that made the list is done before, and the last that counts after. */
function tenths(passed: readonly Sample[], electrons: number, time: (sample: Sample) => number): number[] {
  const when = (wanted: number): number => {
    const after = passed.findIndex(({ done }) => done >= wanted);
    const [a, b] = [passed[after - 1], passed[after]];
    if (a === undefined || b === undefined) return time(b ?? passed.at(-1) ?? { at: 0, cpu: 0, done: 0 });
    return time(a) + ((time(b) - time(a)) * (wanted - a.done)) / (b.done - a.done);
  };
  const marks = Array.from({ length: 11 }, (_, i) => when(2 + ((electrons - 2) * i) / 10));
  return marks.slice(1).map((mark, i) => ((mark - (marks[i] ?? 0)) * 1_000) / (electrons / 10));
}
