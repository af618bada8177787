/** Instances of a class with a codec on their way: as arguments, results, in collections, as items of a map. */
import { electron, lattice } from 'polaron';
import { Broken, Matrix } from './matrix.ts';

const double = electron(function double(m: Matrix): Matrix {
  return new Matrix(
    m.rows,
    m.cells.map((x) => 2 * x),
  );
});
const nest = electron(function nest(m: Matrix) {
  return { list: [m], map: new Map([['m', m]]), set: new Set([m]), shared: [m, m] as const };
});
const several = electron(function several(count: number): Matrix[] {
  return Array.from({ length: count }, (_, i) => Matrix.filled(i + 1, i));
});
const sum = electron(function sum(matrices: readonly Matrix[]): number {
  return matrices.reduce((total, m) => total + m.sum(), 0);
});
const large = electron(function large(rows: number): Matrix {
  return Matrix.filled(rows, 1);
});

const within = lattice(function within(m: Matrix) {
  return { m, doubled: double(m) };
});

export const everywhere = lattice(function everywhere(given: Matrix) {
  const items = several(3).map(double);
  return {
    doubled: double(given),
    nested: nest(double(Matrix.filled(2, 1))),
    items,
    total: sum(items),
    largeSum: sum([large(300), given]),
    /** A lattice that is drawn here, and one that an agent draws when the matrix is there. */
    inside: [within(given), within(double(given))],
  };
});

const breaks = electron({ retries: 3 }, function breaks(how: 'encode' | 'decode' | 'content') {
  return { deep: [new Broken(how)] };
});
const takes = electron({ retries: 3 }, function takes(_given: unknown): string {
  return 'taken';
});
export const breaking = lattice(function breaking(how: 'encode' | 'decode' | 'content') {
  return takes({ of: breaks(how) });
});
export const passing = lattice(function passing(given: Broken) {
  return takes(given);
});
export const breakingHere = lattice(function breakingHere() {
  return takes({ of: [new Broken('encode')] });
});
