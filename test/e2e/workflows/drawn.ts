/** A map with a failure, a map of two electrons that waits for an agent, and a lattice inside, for drawing.test.ts. */
import { electron, lattice } from 'polaron';

const load = electron(function load(n: number) {
  return Array.from({ length: n }, (_, i) => i);
});
const train = electron(function train(x: number) {
  if (x === 3) throw new RangeError('no luck');
  return x;
});
const score = electron({ needs: ['gpu'] }, function score(x: number) {
  return x;
});
const report = electron(function report(xs: readonly number[]) {
  return xs.length;
});
const inner = lattice(function inner(xs: readonly number[]) {
  return report(xs);
});

export const drawn = lattice(function drawn(n: number) {
  const data = load(n);
  const scores = data.map((x) => score(report([x])));
  return { inner: inner(data), trained: report(data.map(train)), scores };
});
