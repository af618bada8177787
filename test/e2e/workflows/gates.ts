/** Electrons that tell the test what they do, and wait for its word: a file is appended to, another is waited for. */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, context, electron, lattice } from 'polaron';

/** Ends at once when the electron is cancelled, as a polite one does. */
async function gate(file: string): Promise<void> {
  const { signal } = context();
  while (!existsSync(file)) await sleep(5, undefined, { signal });
}
const note = (folder: string, line: string): void => appendFileSync(`${folder}/notes`, `${line}\n`);

/** Notes that it began (with pid and attempt), waits for `<folder>/<name>.open`, notes that it ended. */
export const gated = electron(async function gated(folder: string, name: string, value: number): Promise<number> {
  note(folder, `begin ${name} ${process.pid} ${context().attempt}`);
  await gate(`${folder}/${name}.open`);
  note(folder, `end ${name}`);
  return value;
});
export const plusOne = electron(function plusOne(x: number): number {
  return x + 1;
});
export const plusOneNoted = electron(function plusOneNoted(folder: string, name: string, x: number): number {
  note(folder, `end ${name}`);
  return x + 1;
});

/** first → [gate] → last. */
export const throughGate = lattice(function throughGate(folder: string, name: string) {
  return plusOne(gated(folder, name, plusOne(1)));
});
/** Two gates at once, what came before them, and what comes after. */
export const twoGates = lattice(function twoGates(folder: string) {
  const before = plusOneNoted(folder, 'before', 0);
  const a = gated(folder, 'a', before);
  const b = gated(folder, 'b', before);
  return [plusOneNoted(folder, 'after-a', a), plusOneNoted(folder, 'after-b', b)];
});
/** A chain whose every step is noted, slow enough that something can be killed in its middle. */
export const slowStep = electron(async function slowStep(folder: string, name: string, x: number): Promise<number> {
  await sleep(10);
  note(folder, `end ${name}`);
  return x + 1;
});
function steps(folder: string, name: string, length: number) {
  let x = slowStep(folder, `${name}.0`, 0);
  for (let step = 1; step < length; step++) x = slowStep(folder, `${name}.${step}`, x);
  return x;
}
export const notedChain = lattice(function notedChain(folder: string, name: string, length: number) {
  return steps(folder, name, length);
});
/** Each step begins only when the one before is on the hub's disk. */
export const strictChain = lattice(
  { durability: 'strict' },
  function strictChain(folder: string, name: string, length: number) {
    return steps(folder, name, length);
  },
);
/** Every step leaves a value of its own on the hub's disk. */
export const heavyStep = electron(async function heavyStep(
  folder: string,
  name: string,
  x: Uint8Array,
): Promise<Uint8Array> {
  await sleep(10);
  note(folder, `end ${name}`);
  return crypto.getRandomValues(new Uint8Array(Math.max(40_000, x.byteLength)));
});
export const heavyChain = lattice(function heavyChain(folder: string, name: string, length: number) {
  let x = after(gated(folder, name, 0), () => heavyStep(folder, `${name}.0`, new Uint8Array()));
  for (let step = 1; step < length; step++) x = heavyStep(folder, `${name}.${step}`, x);
  return x;
});
