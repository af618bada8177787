/**
 * W8: are the slots kept busy? 2,000 electrons that wait 100 ms each, on agents with 100 slots in all. The ideal is every slot at work from the first moment
 * to the last: electrons ÷ slots × 100 ms. Measured from `dispatch()` to the value in the caller's hands, so the ramps at both ends count, and the electron that
 * takes all values; the runners are loaded before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatch, electron, getValue, lattice } from 'polaron';
import { count } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { summary } from './statistics.ts';
import { check } from './workload.ts';

const slots = 100;
const electrons = 2_000;
const eachMs = 100;
const idealMs = (electrons / slots) * eachMs;
const goal = { what: 'share of the ideal', limit: { atLeast: 0.98 } };

const waiting = electron(async function waiting(index: number): Promise<number> {
  const until = performance.now() + eachMs;
  // A timer may fire a moment early.
  for (let left = eachMs; left > 0; left = until - performance.now()) await sleep(left);
  return index;
});
const waits = lattice(function waits(howMany: number) {
  return count(Array.from({ length: howMany }, (_, index) => waiting(index)));
});

export const w8: Question = {
  id: 'W8',
  asks: `${electrons} electrons of ${eachMs} ms on ${slots} slots`,
  bus: 'each',
  goals: [goal],
  notMeasured: ['electrons that compute: these only wait, and share the cores'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const { agents } = bed;
  if (slots % agents !== 0) throw new Error(`${slots} slots can't be shared out evenly among ${agents} agents`);
  await bed.freshHub({ agents, slots: slots / agents });
  await warmUp(bed.warmUps);
  const times: number[] = [];
  for (let i = 0; i < bed.runs; i++) times.push(await run());
  const took = summary(times);
  return {
    figures: { idealMs, tookMs: took, slots, electrons, eachMs },
    got: { [goal.what]: idealMs / took.median },
    text: `${took.median} ms (${took.min}–${took.max}), ideal ${idealMs} ms`,
  };
}

/**
 * Until every slot has its runner, each runner the code, and that is compiled: what is measured is the slots at work, not the start of 100 processes, which outlasts
 * the first runs. As with W1 to W4: until it gets clearly better no more, at most `most` times.
 */
async function warmUp(most: number): Promise<void> {
  let best = await run();
  for (let count = 1, late = 0; count < most && late < 3; count++) {
    const took = await run();
    late = took < best * 0.95 ? 0 : late + 1;
    if (late === 0) best = took;
  }
}

/** ms. */
async function run(): Promise<number> {
  const began = performance.now();
  check(await getValue(await dispatch(waits)(electrons)), electrons);
  return performance.now() - began;
}
