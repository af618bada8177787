/** What tracing costs: CPU time, since the machine may be busy. Bounds are several times what was measured; they catch a change of order. */
import { expect, test } from 'vitest';
import { electron } from '../../sdk/electron.ts';
import { lattice } from '../../sdk/lattice.ts';
import { traceLattice } from '../../sdk/trace.ts';

function cpuMs(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test('100,000 electron calls trace in about a second, 10,000 definitions too', () => {
  const add = electron({ name: 'add' }, (a: number, b: number) => a + b);
  const chain = lattice({ name: 'chain' }, (n: number) => {
    let sum = add(0, 0);
    for (let i = 1; i < n; i++) sum = add(sum, i);
    return sum;
  });
  // Measured 0.25 s each on a quiet core.
  expect(cpuMs(() => traceLattice(chain, [100_000]))).toBeLessThan(2_000);
  expect(
    cpuMs(() => {
      for (let i = 0; i < 10_000; i++) electron({ name: `e${i}` }, (x: number) => x);
    }),
  ).toBeLessThan(2_000);
});

test('a fan-in of 100,000 Refs, and a large literal passed 10,000 times, cost no more than their size', () => {
  const take = electron({ name: 'take' }, (xs: unknown, i: number) => [xs, i]);
  const fan = lattice({ name: 'fan' }, (n: number) =>
    take(
      Array.from({ length: n }, (_, i) => take(1, i)),
      0,
    ),
  );
  expect(cpuMs(() => traceLattice(fan, [100_000]))).toBeLessThan(3_000);
  const big = new Float64Array(1_000_000);
  const shared = lattice({ name: 'shared' }, () => Array.from({ length: 10_000 }, (_, i) => take(big, i)));
  expect(cpuMs(() => traceLattice(shared, []))).toBeLessThan(3_000);
});
