/**
 * Does a value of 1 GiB go from an electron of one agent to one of another, and to a third back on the first, and how much more does the hub hold meanwhile?
 * The lattice is that of W7, with two hops.
 */
import { dispatch, getValue } from 'polaron';
import { peakMiB } from './hub-process.ts';
import type { Answer, Bed, Question } from './question.ts';
import { tidy } from './statistics.ts';
import { relay, seenAfter, sides } from './w7-lattices.ts';
import { check } from './workload.ts';

const bytes = 1024 ** 3;
const hops = 2;
const MiB = 1024 ** 2;

const grownGoal = { what: 'growth of the hub’s peak memory beside 1 GiB, MiB', limit: { atMost: 200 } };

export const largeValue: Question = {
  id: 'large-value',
  asks: `a value of 1 GiB from agent to agent and back, and what the hub holds meanwhile`,
  bus: 'each',
  onlyNamed: 'it writes 6 GiB to the disk, and its electrons take 2 GiB of memory',
  goals: [grownGoal],
  notMeasured: ['several such values at once'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const hub = await bed.freshHub({ agents: 0 });
  for (const side of sides) await hub.join(side, 1, [side]);
  // code, connections and young heaps are there
  check(await getValue(await dispatch(relay)(MiB, 1, hops)), seenAfter(MiB, 1, hops));
  const before = peakMiB(hub.pid);
  const began = performance.now();
  check(await getValue(await dispatch(relay)(bytes, 2, hops)), seenAfter(bytes, 2, hops));
  const seconds = tidy((performance.now() - began) / 1_000);
  const mibPerSecond = tidy((bytes * hops) / MiB / seconds);
  const after = peakMiB(hub.pid);
  const grownMiB = before === undefined || after === undefined ? undefined : tidy(after - before);
  return {
    figures: { bytes, hops, seconds, mibPerSecond, grownMiB },
    got: { [grownGoal.what]: grownMiB },
    text: `${seconds} s, ${mibPerSecond} MiB/s; the hub grew by ${grownMiB ?? '?'} MiB`,
  };
}
