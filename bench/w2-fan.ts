/**
 * W2: how many independent tasks a second? 10,000 no-ops in one dispatch and one fan-in that takes all their values.
 * Not measured: `.map` (one node for all), values larger than a number, several dispatches at a time.
 */
import { dispatch, getValue, lattice } from 'polaron';
import { count, noop } from './noop.ts';
import { median } from './statistics.ts';
import { check, type Workload } from './workload.ts';

const width = 10_000;
const fan = lattice(function fan(first: number) {
  return count(Array.from({ length: width }, (_, index) => noop(first + index)));
});

export const w2: Workload = {
  id: 'W2',
  what: `${width} independent no-ops, then one that takes them all`,
  unit: 'tasks/s',
  ceiling: 'fan',
  fromCeiling: median,
  target: { atLeast: 1 / 6 },
  async run() {
    const began = performance.now();
    const id = await dispatch(fan)(0);
    const accepted = performance.now();
    const value = await getValue(id);
    const seconds = (performance.now() - began) / 1_000;
    check(value, width);
    return { figure: (width + 1) / seconds, extra: { dispatchMs: accepted - began } };
  },
};
