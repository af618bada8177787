/** W2: how many independent tasks a second? 10,000 no-ops in one dispatch and one fan-in that takes all their values. */
import { dispatch, getValue, lattice } from 'polaron';
import { count, noop } from './noop.ts';
import { median } from './statistics.ts';
import { bareLoop, check, questionOf, type Workload } from './workload.ts';

const width = 10_000;
const fan = lattice(function fan(first: number) {
  return count(Array.from({ length: width }, (_, index) => noop(first + index)));
});

export const workload: Workload = {
  id: 'W2',
  asks: `${width} independent no-ops in one dispatch, then one that takes them all`,
  notMeasured: ['several wide dispatches at a time'],
  units: { rate: 'tasks/s', dispatchMs: 'ms until the dispatch is accepted' },
  better: 'more',
  ceiling: 'fan',
  fromCeiling: (values) => ({ rate: median(values) }),
  ratios: [
    { figure: 'rate', to: bareLoop, limit: { atLeast: 1 / 2 } },
    { figure: 'rate', to: 'BullMQ always', limit: { atLeast: 5 } },
  ],
  async run() {
    const began = performance.now();
    const id = await dispatch(fan)(0);
    const accepted = performance.now();
    const value = await getValue(id);
    const seconds = (performance.now() - began) / 1_000;
    check(value, width);
    return { rate: (width + 1) / seconds, dispatchMs: accepted - began };
  },
};

export const w2 = questionOf(workload);
