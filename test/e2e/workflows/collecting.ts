/** Maps that collect: items that fail, with notes of every run. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { electron, lattice, type SettledItem } from 'polaron';

const ran = (folder: string, what: string): void => appendFileSync(join(folder, 'ran'), `${what}\n`);

export const upTo = electron(function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
});
/** Fails for every third, until the file `fixed` is there. */
export const measure = electron({ retries: { max: 1, delay: 1 } }, function measure(folder: string, n: number): number {
  ran(folder, `measure ${n}`);
  if (n % 3 === 1 && !existsSync(join(folder, 'fixed')))
    throw new RangeError(`${n} is out of range`, { cause: new Error('the sensor is off') });
  return 10 * n;
});
export const half = electron(function half(value: number): number {
  return value / 2;
});
export const tally = electron(function tally(items: readonly SettledItem<number>[]): string {
  return items.map((item) => (item.status === 'fulfilled' ? item.value : item.reason.node)).join();
});
export const one = electron(function one(item: SettledItem<number>): string {
  return item.status;
});
/** Two electrons per item, one map after the other. */
export const measured = lattice({ failFast: true }, function measured(folder: string, count: number) {
  const items = upTo(count).map((n) => half(measure(folder, n)), { onItemError: 'collect' });
  return { items, tally: tally(items), statuses: items.map(one), first: items[0]?.status };
});

const each = lattice(function each(n: number) {
  return strict(n);
});
export const strict = electron(function strict(n: number): number {
  if (n === 1) throw new TypeError('not this one');
  return n;
});
/** Over a lattice, and a map in a map. */
export const deep = lattice(function deep() {
  const numbers = upTo(3);
  return {
    lattices: numbers.map(each, { onItemError: 'collect' }),
    rows: numbers.map((n) => upTo(n).map(strict), { onItemError: 'collect', concurrency: 1 }),
  };
});

const blank = electron(function blank(n: number): Uint8Array {
  if (n === 0) throw new Error('none');
  return new Uint8Array(100_000).fill(n);
});
const sizes = electron(function sizes(items: readonly SettledItem<Uint8Array>[]): number[] {
  return items.map((item) => (item.status === 'fulfilled' ? item.value.length + (item.value[0] ?? 0) : 0));
});
const size = electron(function size(item: SettledItem<Uint8Array>): number {
  return item.status === 'fulfilled' ? item.value.length : 0;
});
/** Values that the list only points to. */
export const heavy = lattice(function heavy() {
  const items = upTo(3).map(blank, { onItemError: 'collect' });
  return { items, sizes: sizes(items), each: items.map(size) };
});

export const waits = electron(async function waits(folder: string, n: number): Promise<number> {
  while (!existsSync(join(folder, n === 0 ? 'never' : 'go'))) await new Promise((resolve) => setTimeout(resolve, 10));
  return n;
});
export const waiting = lattice(function waiting(folder: string) {
  return upTo(2).map((n) => waits(folder, n), { onItemError: 'collect' });
});
