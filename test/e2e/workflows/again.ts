/** What is dispatched again: with chance in it, keyword arguments, a failure that a file heals, and notes of every run. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { electron, lattice } from 'polaron';

const ran = (folder: string, what: string): void => appendFileSync(join(folder, 'ran'), `${what}\n`);

export const draw = electron(function draw(folder: string): number {
  ran(folder, 'draw');
  return Math.random();
});
export const scaled = electron(function scaled({
  folder,
  value,
  by,
}: {
  folder: string;
  value: number;
  by: number;
}): number {
  ran(folder, `scaled ${by}`);
  return value * by;
});
export const healed = electron(function healed(folder: string, value: number): number {
  ran(folder, 'healed');
  if (!existsSync(join(folder, 'fixed'))) throw new Error('not fixed yet');
  return value;
});

/** One keyword object. */
export const keywords = lattice(function keywords({
  folder,
  a = 1,
  b = 1,
}: {
  folder: string;
  a?: number;
  b?: number;
}) {
  return { drawn: draw(folder), product: scaled({ folder, value: a, by: b }) };
});

export const fails = lattice(function fails(folder: string) {
  const drawn = draw(folder);
  return healed(folder, drawn);
});

const inner = lattice(function inner(folder: string, count: number) {
  const drawn = draw(folder);
  const parts = Array.from({ length: count }, (_, i) => scaled({ folder, value: i, by: 10 }));
  return healed(folder, gathered(drawn, parts));
});
const gathered = electron(function gathered(drawn: number, parts: readonly number[]): number {
  return drawn + parts.reduce((sum, part) => sum + part, 0);
});
export const counted = electron(function counted(folder: string): number {
  ran(folder, 'counted');
  return 3;
});
/** One that is drawn where it is called, and one that an agent draws when the count is known. */
export const nested = lattice(function nested(folder: string) {
  return { known: inner(folder, 1), later: inner(folder, counted(folder)) };
});

export const scaledTwice = electron(function scaledTwice({
  value,
  by,
}: {
  folder: string;
  value: number;
  by: number;
}): number {
  return 2 * value * by;
});
export const needsMore = electron(function needsMore(folder: string, value: number): number {
  return folder.length + value;
});
export const scaledText = electron(function scaledText({
  value,
}: {
  folder: string;
  value: number;
  by: number;
}): string {
  return String(value);
});
