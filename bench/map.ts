/**
 * What does an item of a map cost the hub, beside a plain electron? 10,000 no-ops drawn one by one, and the same by `.map` over a list that an electron gives, in turn
 * on one hub: its CPU time, all threads, from before `dispatch()` until the value is there, divided by their number. Cutting and joining the list is the map's.
 */
import { dispatch, electron, getValue, lattice, type SettledItem } from 'polaron';
import { count, noop, range } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { median, tidy } from './statistics.ts';
import { check } from './workload.ts';

const items = 10_000;
/** Of three lattices in turn: a hub that has done 120,000 electrons is warm. */
const warmUps = 4;
const goal = { what: "the hub's CPU time per item of a map ÷ per plain electron", limit: { atMost: 1.5 } };

const plain = lattice(function plain(width: number) {
  return count(Array.from({ length: width }, (_, index) => noop(index)));
});
const mapped = lattice(function mapped(width: number) {
  return count(range(width).map(noop));
});
const countEnds = electron(function countEnds(ends: readonly SettledItem<number>[]): number {
  return ends.length;
});
const collected = lattice(function collected(width: number) {
  return countEnds(range(width).map(noop, { onItemError: 'collect' }));
});

export const mapItems: Question = {
  id: 'map',
  asks: `the hub's CPU time for each of ${items} items of a map, beside plain electrons`,
  bus: 'one',
  goals: [goal],
  notMeasured: ['what agent, runner and client take', 'items that are large, or fail'],
  measure,
};

/** Raises Error where the kernel doesn't say what a process took (no /proc). */
async function measure(bed: Bed): Promise<Answer> {
  const width = Math.min(bed.most ?? items, items);
  const hub = await bed.freshHub();
  const perItem = async (of: typeof plain | typeof mapped): Promise<number> => {
    const before = hub.cpuSeconds();
    if (before === undefined) throw new Error('no /proc here: the CPU time of a process can’t be read');
    check(await getValue(await dispatch(of)(width)), width);
    return (((hub.cpuSeconds() ?? Number.NaN) - before) / width) * 1e6;
  };
  const [plains, maps, collects]: [number[], number[], number[]] = [[], [], []];
  for (let round = -Math.min(bed.warmUps, warmUps); round < bed.runs; round++) {
    const [one, two, three] = [await perItem(plain), await perItem(mapped), await perItem(collected)];
    if (round < 0) continue;
    plains.push(one);
    maps.push(two);
    collects.push(three);
  }
  const [plainUs, mapUs, collectUs] = [median(plains), median(maps), median(collects)];
  const ratio = mapUs / plainUs;
  return {
    figures: {
      items: width,
      plainUs: tidy(plainUs),
      mapUs: tidy(mapUs),
      collectUs: tidy(collectUs),
      ratio: tidy(ratio),
    },
    got: { [goal.what]: width < items ? undefined : ratio },
    text: `${tidy(mapUs)} µs per item, ${tidy(collectUs)} µs with 'collect'; ${tidy(plainUs)} µs per plain electron: × ${tidy(ratio)}`,
  };
}
