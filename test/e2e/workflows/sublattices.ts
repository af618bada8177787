/** Lattices inside lattices, for sublattices.test.ts. */
import { existsSync } from 'node:fs';
import { after, electron, lattice, type Lattice, type Ref } from 'polaron';

const add = electron(function add(a: number, b: number) {
  return a + b;
});
const upTo = electron(function upTo(n: number) {
  return Array.from({ length: n }, (_, i) => i);
});
const breaks = electron(function breaks(why: string): number {
  throw new Error(why);
});
const gate = electron(async function gate(file: string) {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
  return 7;
});

export const sumOf = lattice(function sumOf(a: number, b: number, c: number) {
  return add(add(a, b), c);
});

/** What it draws depends on a value that an electron made. */
export const totalOf = lattice(function totalOf(items: number[]) {
  let total = sumOf(0, 0, 0);
  for (const one of items) if (one % 2 === 1) total = add(total, one);
  return { total, length: items.length };
});
const plusHundred = lattice(function plusHundred(x: number) {
  return add(x, 100);
});

export const all = lattice(function all(n: number) {
  const known = sumOf(1, 2, 3);
  const items = upTo(n);
  const drawn = totalOf(items);
  return { known, drawn, both: add(drawn.total, known), each: items.map(plusHundred) };
});

const inner = lattice(function inner(why: string) {
  return add(breaks(why), 1);
});
const middle = lattice(function middle(why: string) {
  return inner(why);
});
export const failing = lattice(function failing(why: string) {
  return { bad: middle(why), good: add(1, 1) };
});

const opened = lattice(function opened(file: string) {
  return gate(file);
});
export const waiting = lattice(function waiting(file: string) {
  return add(opened(file), add(1, 1));
});

const bounded = lattice(
  { timeout: '5s', failFast: true, metadata: { stage: 'inner' } },
  function bounded(file: string) {
    return add(gate(file), 1);
  },
);
/** One is drawn at once, the others when the list is there. */
export const bounding = lattice({ metadata: { run: '7' } }, function bounding(file: string) {
  return { known: bounded(file), each: naming(file).map(bounded), last: add(1, 1) };
});
const naming = electron(function naming(file: string) {
  return [file];
});

const doubled = electron(function doubled(n: number) {
  return 2 * n;
});
const doubling = lattice(function doubling(n: number) {
  return doubled(n);
});
export const moving = lattice(function moving(file: string) {
  const opening = gate(file);
  return { known: after(opening, () => doubling(5)), each: upTo(opening).map(doubling) };
});

/** Each level is drawn on an agent when the one before is done. */
export const countdown: Lattice<[n: number], Ref<number>> = lattice(function countdownFrom(n: number): Ref<number> {
  return n <= 0 ? add(n, 0) : countdown(add(n, -1));
});
export const bottomless: typeof countdown = lattice(function bottomlessFrom(n: number): Ref<number> {
  return bottomless(add(n, 1));
});

/** The types refuse a promise that they can see. */
const promised = lattice(function promised(x: number): number {
  return Object(Promise.resolve(x));
});
export const promising = lattice(function promising(x: number) {
  return promised(add(x, 1));
});
