/**
 * What does it cost to find out that nothing has to run? A dispatch of 10,000 electrons is made again with `reusePreviousResults`, once in a chain and once side by side; and one with `cache`
 * is dispatched once more. Measured is the CPU time of the hub's process, all of it: from the request to the value in the caller's hands, records of what was taken over included.
 */
import { dispatch, electron, getResult, getValue, lattice, redispatch, type DispatchId } from 'polaron';
import type { BenchHub } from './hub.ts';
import { count, noop } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { type Summary, summary } from './statistics.ts';
import { check } from './workload.ts';

const electrons = 10_000;
const limit = { atMost: 500 };
const cached = electron({ cache: true }, function cached(value: number): number {
  return value;
});

const chain = lattice(function chain(length: number) {
  let end = noop(length);
  for (let step = 1; step < length; step++) end = noop(end);
  return end;
});
const fan = lattice(function fan(width: number) {
  return count(Array.from({ length: width }, (_, index) => noop(index)));
});
const cachedFan = lattice(function cachedFan(width: number) {
  return count(Array.from({ length: width }, (_, index) => cached(index)));
});

const again = (id: DispatchId<number>): Promise<DispatchId<number>> => redispatch(id, { reusePreviousResults: true })();
/** What runs, and how it is made again so that nothing has to. */
const shapes = [
  { name: 'in a chain', of: chain, again, ran: 0 },
  { name: 'side by side', of: fan, again, ran: 0 },
  {
    name: 'from the cache',
    of: cachedFan,
    again: (_: DispatchId<number>, many: number) => dispatch(cachedFan)(many),
    ran: 1,
  },
] as const;
type Shape = (typeof shapes)[number];

const goals = shapes.map(({ name }) => ({ what: `CPU of the hub, ${electrons} electrons ${name}, ms`, limit }));

export const reuse: Question = {
  id: 'reuse',
  asks: `${electrons} electrons of which none has to run, in a chain, side by side, and from the cache`,
  bus: 'one',
  onlyNamed: `each of its ${electrons} electrons runs first`,
  goals,
  notMeasured: ['large values and inner lattices, and records that the disk’s cache does not hold'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const many = Math.min(bed.most ?? electrons, electrons);
  const hub = await bed.freshHub();
  const figures: Record<string, Summary> = {};
  for (const shape of shapes) figures[shape.name] = summary(await several(bed, hub, shape, many));
  const got = shapes.map(({ name }, i) => [goals[i]?.what ?? '', many < electrons ? undefined : figures[name]?.median]);
  const texts = Object.entries(figures).map(([name, { median, min, max }]) => `${median} ms (${min}–${max}) ${name}`);
  return { figures: { electrons: many, cpuMs: figures }, got: Object.fromEntries(got), text: texts.join(', ') };
}

async function several(bed: Bed, hub: BenchHub, shape: Shape, many: number): Promise<readonly number[]> {
  const first = await dispatch(shape.of)(many);
  check(await getValue(first), many);
  const times: number[] = [];
  // The first of them is cold.
  for (let run = 0; run <= bed.runs; run++) {
    const before = hub.cpuSeconds();
    const id = await shape.again(first, many);
    check(await getValue(id), many);
    const after = hub.cpuSeconds();
    if (before === undefined || after === undefined) throw new Error('CPU time of a process is read from /proc');
    if (run > 0) times.push((after - before) * 1_000);
    const { completed = 0, reused = 0 } = (await getResult(id)).electrons.counts;
    check(completed, shape.ran);
    if (reused < many) throw new Error(`${reused} of ${many} electrons were reused ${shape.name}`);
  }
  return times;
}
