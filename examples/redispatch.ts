/**
 * A dispatch once more: the same, with other arguments, with another electron in the place of one. What didn't change isn't run again.
 * Run it with `npx tsx examples/redispatch.ts` beside a hub.
 */
import { dispatch, electron, getResult, getValue, lattice, redispatch, replacement } from 'polaron';

const load = electron(function load(rows: number): number[] {
  return Array.from({ length: rows }, (_, row) => row + 1);
});
const score = electron(function score(value: number, alpha: number): number {
  return value * alpha;
});
const best = electron(function best(scores: readonly number[]): number {
  return Math.max(...scores);
});
const lowest = electron(function lowest(scores: readonly number[]): number {
  return Math.min(...scores);
});
const sweep = lattice(function sweep({ rows, alpha }: { rows: number; alpha: number }) {
  return best(load(rows).map((value) => score(value, alpha)));
});

const first = await dispatch(sweep)({ rows: 3, alpha: 2 });
console.log(await getValue(first));

// The same again: every electron runs.
const same = await redispatch(first)();
console.log(await getValue(same), (await getResult(same)).electrons.counts);

// Other arguments: what they don't touch is taken over.
const longer = await redispatch(first, { lattice: sweep, reusePreviousResults: true })({ rows: 4, alpha: 2 });
console.log(await getValue(longer), (await getResult(longer)).electrons.counts);

// Another electron in the place of one: it and what follows from it run.
const other = await redispatch(longer, {
  replaceElectrons: replacement(best, lowest),
  reusePreviousResults: true,
})();
console.log(await getValue(other), (await getResult(other)).electrons.counts);
console.log((await getResult(other)).redispatchOf === longer);
