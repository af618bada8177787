/** Lattices whose electrons are sent to an SSH host when they are dispatched. */
import { appendFileSync } from 'node:fs';
import { electron, lattice } from 'polaron';

const numbers = electron(function numbers(n: number) {
  return Array.from({ length: n }, (_, i) => i);
});
const squared = electron(function squared(x: number) {
  console.log(`squaring ${x}`);
  return { square: x * x, pid: process.pid };
});
const total = electron(function total(all: readonly { readonly square: number }[]) {
  return all.reduce((sum, { square }) => sum + square, 0);
});

export const squares = lattice(function squares(n: number) {
  return total(numbers(n).map(squared));
});

const slow = electron(async function slow(file: string) {
  appendFileSync(file, `${process.pid}\n`);
  // long enough to be met by a kill
  const began = Date.now();
  while (Date.now() - began < 3_000) await new Promise((resolve) => setTimeout(resolve, 20));
  return 'done';
});

export const slowly = lattice(function slowly(file: string) {
  return slow(file);
});
