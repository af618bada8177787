/** W3: how many small workflows a second? 1,000 dispatches of a five-task diamond (a → b, c, d → e), 200 in flight; the ceiling has all 1,000 in flight. */
import { dispatch, getValue, lattice } from 'polaron';
import { noop, sum } from './noop.ts';
import { median } from './statistics.ts';
import { bareLoop, check, questionOf, type Workload } from './workload.ts';

const total = 1_000;
const inFlight = 200;
const diamond = lattice(function diamond(start: number) {
  const a = noop(start);
  return sum(noop(a), noop(a), noop(a));
});

export const workload: Workload = {
  id: 'W3',
  asks: `${total} diamonds of 5 tasks, ${inFlight} in flight`,
  notMeasured: ['several clients at a time, lattices that differ from each other'],
  units: { rate: 'workflows/s' },
  better: 'more',
  ceiling: 'diamonds',
  fromCeiling: (values) => ({ rate: median(values) }),
  ratios: [
    { figure: 'rate', to: bareLoop, limit: { atLeast: 1 / 3 } },
    { figure: 'rate', to: 'BullMQ always', limit: { atLeast: 5 } },
  ],
  async run() {
    const began = performance.now();
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < total) {
        const mine = next++;
        check(await getValue(await dispatch(diamond)(mine)), 3 * mine);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
    return { rate: total / ((performance.now() - began) / 1_000) };
  },
};

export const w3 = questionOf(workload);
