/**
 * W3: how many small workflows a second? 1,000 dispatches of a five-task diamond (a → b, c, d → e), 200 in flight.
 * The ceiling has all 1,000 in flight. Not measured: several clients, lattices that differ from each other.
 */
import { dispatch, getValue, lattice } from 'polaron';
import { noop, sum } from './noop.ts';
import { median } from './statistics.ts';
import { check, type Workload } from './workload.ts';

const total = 1_000;
const inFlight = 200;
const diamond = lattice(function diamond(start: number) {
  const a = noop(start);
  return sum(noop(a), noop(a), noop(a));
});

export const w3: Workload = {
  id: 'W3',
  what: `${total} diamonds of 5 tasks, ${inFlight} in flight`,
  unit: 'workflows/s',
  ceiling: 'diamonds',
  fromCeiling: median,
  target: { atLeast: 1 / 8 },
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
    return { figure: total / ((performance.now() - began) / 1_000) };
  },
};
