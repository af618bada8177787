/**
 * W4: how long from dispatch to value? 200 dispatches of a one-task lattice, one at a time.
 * Not measured: the first dispatch of a process, which also packs and uploads the code; a p99 of 200 rests on two of them.
 */
import { dispatch, getValue, lattice } from 'polaron';
import { noop } from './noop.ts';
import { median, percentile } from './statistics.ts';
import { check, type Workload } from './workload.ts';

const single = lattice(function single(value: number) {
  return noop(value);
});

export const w4: Workload = {
  id: 'W4',
  what: '200 one-task dispatches, one at a time, from dispatch to value',
  unit: 'ms p50',
  ceiling: 'latencies',
  fromCeiling: (microseconds) => median(microseconds) / 1_000,
  target: { atMost: 4 },
  async run() {
    const latencies: number[] = [];
    for (let i = 0; i < 200; i++) {
      const began = performance.now();
      check(await getValue(await dispatch(single)(i)), i);
      latencies.push(performance.now() - began);
    }
    return { figure: median(latencies), extra: { p99Ms: percentile(latencies, 0.99) } };
  },
};
