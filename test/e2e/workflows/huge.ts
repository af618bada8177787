/** Large rows of numbers from an electron of one agent to one of another, and what the processes of their runners held at most. */
import { electron, lattice } from 'polaron';

/** What the two agents offer: no electron here may run on both. */
export const sides = ['huge-left', 'huge-right'] as const;
const [left, right] = sides;

const MIB = 1024 ** 2;
/** The most that this process ever held, MiB. */
const peakMiB = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
/** Numbers of a page: one of each differs, so that nothing can be shared or left out. */
const PAGE = 512;

const make = electron({ needs: [left] }, function make(mib: number, seed: number): Float64Array {
  const row = new Float64Array((mib * MIB) / 8);
  for (let i = 0; i < row.length; i += PAGE) row[i] = seed + i;
  return row;
});
/** Another row of the same size, in the same memory. */
const pass = electron({ needs: [right] }, function pass(row: Float64Array): Float64Array {
  row[0] = (row[0] ?? 0) + 1;
  return row;
});
const look = electron({ needs: [left] }, function look(row: Float64Array) {
  let sum = 0;
  for (let i = 0; i < row.length; i += PAGE) sum += row[i] ?? 0;
  return { kind: row.constructor.name, length: row.length, sum };
});
/** In the process that made or passed it, once it has answered. */
const peakLeft = electron({ needs: [left] }, function peakLeft(_after: unknown): number {
  return peakMiB();
});
const peakRight = electron({ needs: [right] }, function peakRight(_after: unknown): number {
  return peakMiB();
});

export const hops = lattice(function hops(mib: number, seed: number) {
  const saw = look(pass(make(mib, seed)));
  return { saw, peaks: [peakLeft(saw), peakRight(saw)] as const };
});

const several = electron({ needs: [left] }, function several(mib: number, count: number): Float64Array[] {
  return Array.from({ length: count }, (_, i) => new Float64Array((mib * MIB) / 8).fill(i + 1));
});
const first = electron({ needs: [right] }, function first(row: Float64Array): number {
  return (row[0] ?? 0) * row.length;
});
/** Items of a map, each larger than what an agent keeps in memory. */
export const items = lattice(function items(mib: number, count: number) {
  return several(mib, count).map(first);
});
export const sumAfter = (mib: number, seed: number): number => {
  const length = (mib * MIB) / 8;
  let sum = 1;
  for (let i = 0; i < length; i += PAGE) sum += seed + i;
  return sum;
};
