/** W1: what does one step of a chain cost? 100 dependent no-ops in one dispatch, from `dispatch()` to the value in the caller's hands, by 100; once as usual, once with each result on disk before the next step. */
import { dispatch, getValue, lattice } from 'polaron';
import { noop } from './noop.ts';
import { median } from './statistics.ts';
import { bareLoop, check, questionOf, type Workload } from './workload.ts';

const steps = 100;
const rounds = 10;
const chainOf = (start: number) => {
  let value = noop(start);
  for (let step = 1; step < steps; step++) value = noop(value);
  return value;
};
const chain = lattice(function chain(start: number) {
  return chainOf(start);
});
const strictChain = lattice({ durability: 'strict' }, function strictChain(start: number) {
  return chainOf(start);
});

const workload: Workload = {
  id: 'W1',
  asks: `chain of ${steps} dependent no-ops, median of ${rounds} chains`,
  notMeasured: ['more than one chain at a time'],
  units: { step: 'µs/step', strictStep: 'µs/step, each result on disk before the next step' },
  better: 'less',
  ceiling: 'chain',
  fromCeiling: (values) => ({ step: median(values) }),
  ratios: [
    { figure: 'step', to: bareLoop, limit: { atMost: 0.8 } },
    { figure: 'strictStep', to: bareLoop, of: 'step', limit: { atMost: 1.5 } },
    { figure: 'step', to: 'BullMQ always', limit: { atMost: 1 / 3 } },
  ],
  async run() {
    return { step: await perStep(chain), strictStep: await perStep(strictChain) };
  },
};

export const w1 = questionOf(workload);

async function perStep(of: typeof chain): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const value = await getValue(await dispatch(of)(round));
    times.push(((performance.now() - began) * 1_000) / steps);
    check(value, round);
  }
  return median(times);
}
