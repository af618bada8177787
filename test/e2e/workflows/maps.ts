/** Fan-out over what is known only at run time. */
import { after, electron, lattice } from 'polaron';

export const numbers = electron(function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
});
export const double = electron(function double(x: number): number {
  return 2 * x;
});
export const addAll = electron(function addAll(xs: readonly number[]): number {
  return xs.reduce((sum, x) => sum + x, 0);
});
/** An electron per item. */
export const doubled = lattice(function doubled(count: number) {
  const found = numbers(count);
  const twice = found.map(double);
  return { twice, sum: addAll(twice), howMany: found.length };
});

export const makeBatch = electron(function makeBatch(count: number) {
  return {
    batch: { items: Array.from({ length: count }, (_, index) => ({ id: `i${index}`, weight: index })) },
    unit: 10,
  };
});
export const scale = electron(function scale(weight: number, unit: number, index: number): number {
  return weight * unit + index;
});
export const tag = electron(function tag(id: string, scaled: number, all: number): string {
  return `${id}:${scaled}/${all}`;
});
export const countOf = electron(function countOf(items: readonly unknown[]): number {
  return items.length;
});
/** The callback uses item, index, and Refs of the outside; over a path into a value; two electrons per item. */
export const tagged = lattice(function tagged(count: number) {
  const made = makeBatch(count);
  const all = countOf(made.batch.items);
  return made.batch.items.map((item, index) => tag(item.id, scale(item.weight, made.unit, index), all));
});

/** A map in a map. */
export const table = electron(function table(): number[][] {
  return [[1, 2], [], [3]];
});
export const squares = lattice(function squares() {
  return table().map((row) => addAll(row.map((x) => scale(x, x, 0))));
});

const notAList = electron(function notAList(): number[] {
  return JSON.parse('{ "rows": [] }');
});
export const overNoArray = lattice(function overNoArray() {
  return notAList().map(double);
});

export const appendTo = electron(async function appendTo(file: string, line: string): Promise<string> {
  const { appendFile } = await import('node:fs/promises');
  await appendFile(file, `${line}\n`);
  return line;
});
/** Order without data. */
export const ordered = lattice(function ordered(file: string) {
  const first = appendTo(file, 'first');
  const second = after(first, () => appendTo(file, 'second'));
  return after([first, second], () => appendTo(file, 'third'));
});
