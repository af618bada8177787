/**
 * A loop that goes on until its result is good enough. Each step is a lattice inside the one before: it is drawn when the interval is known, and looks at nine points at once.
 * Run it with `npx tsx examples/bisect.ts` beside a hub.
 */
import { dispatch, electron, getValue, lattice, type Lattice, type Ref } from 'polaron';

interface Interval {
  readonly from: number;
  readonly to: number;
}
interface Found {
  readonly x: string;
  readonly steps: number;
}

/** What one wants to know where it becomes positive. */
const measure = electron(function measure(x: number) {
  return x ** 3 - 2;
});
const narrowed = electron(function narrowed(points: readonly number[], values: readonly number[]): Interval {
  const first = values.findIndex((value) => value > 0);
  if (first < 1) throw new Error(`no change of sign between ${points[0]} and ${points.at(-1)}`);
  return { from: points[first - 1] ?? 0, to: points[first] ?? 0 };
});
const found = electron(function found({ from, to }: Interval, steps: number): Found {
  return { x: ((from + to) / 2).toFixed(6), steps };
});

const search: Lattice<[interval: Interval, steps: number], Ref<Found>> = lattice(
  { name: 'search', timeout: '1m', failFast: true },
  ({ from, to }: Interval, steps: number): Ref<Found> => {
    // numbers, not Refs
    if (to - from < 1e-6) return found({ from, to }, steps);
    const points = Array.from({ length: 9 }, (_, i) => from + ((to - from) * i) / 8);
    const values = points.map((point) => measure(point));
    return search(narrowed(points, values), steps + 1);
  },
);

const id = await dispatch(search)({ from: 1, to: 2 }, 0);
console.log(await getValue(id));
