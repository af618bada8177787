/** W4: how long from dispatch to value? 200 dispatches of a one-task lattice, one at a time. */
import { dispatch, getValue, lattice } from 'polaron';
import { noop } from './noop.ts';
import { median, percentile } from './statistics.ts';
import { bareLoop, check, questionOf, type Workload } from './workload.ts';

const dispatches = 200;
const single = lattice(function single(value: number) {
  return noop(value);
});

const workload: Workload = {
  id: 'W4',
  asks: `${dispatches} one-task dispatches, one at a time, from dispatch to value`,
  notMeasured: [`a p99 of ${dispatches} rests on two of them, in each run`],
  units: { p50: 'ms', p99: 'ms' },
  better: 'less',
  ceiling: 'latencies',
  fromCeiling: (microseconds) => ({ p50: median(microseconds) / 1_000, p99: percentile(microseconds, 0.99) / 1_000 }),
  ratios: [
    { figure: 'p50', to: bareLoop, limit: { atMost: 2 } },
    { figure: 'p99', to: bareLoop, limit: { atMost: 3 } },
    { figure: 'p50', to: 'BullMQ always', limit: { atMost: 1 / 2 } },
  ],
  async run() {
    const latencies: number[] = [];
    for (let i = 0; i < dispatches; i++) {
      const began = performance.now();
      check(await getValue(await dispatch(single)(i)), i);
      latencies.push(performance.now() - began);
    }
    return { p50: median(latencies), p99: percentile(latencies, 0.99) };
  },
};

export const w4 = questionOf(workload);
