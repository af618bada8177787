/**
 * W1: what does one step of a chain cost? 100 dependent no-ops in one dispatch, from `dispatch()` to the value in the caller's hands, by 100.
 * Not measured: values larger than a number, more than one chain at a time, agents on another machine.
 */
import { dispatch, getValue, lattice } from 'polaron';
import { noop } from './noop.ts';
import { median } from './statistics.ts';
import { check, type Workload } from './workload.ts';

const steps = 100;
const chain = lattice(function chain(start: number) {
  let value = noop(start);
  for (let step = 1; step < steps; step++) value = noop(value);
  return value;
});

export const w1: Workload = {
  id: 'W1',
  what: `chain of ${steps} dependent no-ops, median of 10 chains`,
  unit: 'µs/step',
  ceiling: 'chain',
  fromCeiling: median,
  target: { atMost: 2 },
  async run() {
    const perStep: number[] = [];
    for (let round = 0; round < 10; round++) {
      const began = performance.now();
      const value = await getValue(await dispatch(chain)(round));
      perStep.push(((performance.now() - began) * 1_000) / steps);
      check(value, round);
    }
    return { figure: median(perStep) };
  },
};
