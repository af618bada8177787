/**
 * Does a large dispatch starve a small one? A fan of 100,000 electrons that do nothing keeps hub and agents busy; while it runs, chains of ten electrons are
 * dispatched one after another. Each step of a chain is asked for when the one before has ended, behind tens of thousands that wait. Measured from
 * `dispatch()` to the value, against the same chain alone on the same hub.
 */
import { cancel, dispatch, getResult, getValue, lattice } from 'polaron';
import { noop } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { summary, tidy } from './statistics.ts';
import { check } from './workload.ts';

const electrons = 100_000;
const steps = 10;
const chains = 10;

/** Behind the fan a chain would take as long as that, or longer. */
const goal = { what: "share of the fan's time that a chain takes beside it", limit: { atMost: 0.1 } };
const leftGoal = { what: 'electrons of the fan that still waited after the last chain', limit: { atLeast: 1 } };

const fan = lattice(function fan(howMany: number) {
  return Array.from({ length: howMany }, (_, index) => noop(index));
});
const chain = lattice(function chain(length: number) {
  let end = noop(length);
  for (let step = 1; step < length; step++) end = noop(end);
  return end;
});

export const fairness: Question = {
  id: 'fairness',
  asks: `a chain of ${steps} electrons, alone and beside ${electrons} that wait`,
  bus: 'one',
  onlyNamed: 'it keeps the machine busy with one large dispatch for its length',
  goals: [goal, leftGoal],
  notMeasured: [
    'users among each other, and long electrons: turns are turns (test/actors/matchmaker/fairness.test.ts)',
  ],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const many = Math.min(bed.most ?? electrons, electrons);
  await bed.freshHub({ slots: 1 });
  for (let i = 0; i < bed.warmUps; i++) await run();
  const alone = summary(await several());
  const id = await dispatch(fan)(many);
  // accepted, drawn, and on its way
  while ((await completed(id)) === 0);
  const before = await completed(id);
  const began = performance.now();
  const beside = summary(await several());
  const [after, took] = [await completed(id), performance.now() - began];
  await cancel(id);
  const left = many - after;
  // as fast as it was meanwhile
  const fanMs = (took / Math.max(1, after - before)) * many;
  return {
    figures: { electrons: many, steps, aloneMs: alone, besideMs: beside, fanMs: tidy(fanMs), left },
    got: { [goal.what]: many < electrons ? undefined : beside.median / fanMs, [leftGoal.what]: left },
    text: `${beside.median} ms (${beside.min}–${beside.max}) beside the fan, which takes about ${tidy(fanMs)} ms; ${tidy(alone.median)} ms alone`,
  };
}

const completed = async (id: Parameters<typeof getResult>[0]): Promise<number> =>
  (await getResult(id)).electrons.counts.completed ?? 0;

async function several(): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < chains; i++) times.push(await run());
  return times;
}

/** ms. */
async function run(): Promise<number> {
  const began = performance.now();
  check(await getValue(await dispatch(chain)(steps)), steps);
  return performance.now() - began;
}
