/** Electrons that fail, in each way there is. */
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, electron, lattice } from 'polaron';
import { gated } from './gates.ts';

export const good = electron(function good(x: number): number {
  return x + 1;
});
export const add = electron(function add(a: number, b: number): number {
  return a + b;
});
export const breaks = electron(function breaks(what: string): number {
  console.error(`about to break ${what}`);
  throw Object.assign(new RangeError(`cannot ${what}`), { code: 'E_BROKEN' });
});

/** One branch fails, one goes on, and what needs both is skipped. */
export const branches = lattice(function branches() {
  const bad = breaks('compute');
  const fine = good(good(1));
  const skipped = add(bad, fine);
  return { fine, both: good(skipped) };
});
export const severalRoots = lattice(function severalRoots() {
  return [good(breaks('left')), good(breaks('right')), good(0)];
});
/** Fails at once, while another branch waits at a gate. */
export const failsEarly = lattice(function failsEarly(folder: string) {
  return add(good(breaks('early')), gated(folder, 'late', 1));
});
export const failsFast = lattice({ failFast: true }, function failsFast(folder: string) {
  return add(breaks('fast'), gated(folder, 'slow', 1));
});

export const exits = electron(function exits(): number {
  console.log('leaving');
  process.exit(7);
});
export const crashes = electron(function crashes(): number {
  process.kill(process.pid, 'SIGSEGV');
  const until = Date.now() + 60_000;
  while (Date.now() < until);
  return 0;
});
export const loops = electron({ timeout: '300ms' }, function loops(): number {
  let turns = 0;
  for (;;) turns++;
});
export const hoards = electron({ memoryMb: 64 }, function hoards(): number {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => index * 1.1));
});
export const rejects = electron(async function rejects(): Promise<number> {
  void Promise.reject(new Error('nobody handles this'));
  await sleep(10_000);
  return 1;
});
export const throwsLater = electron(async function throwsLater(): Promise<number> {
  setTimeout(() => {
    throw new Error('out of a callback');
  }, 1);
  await sleep(10_000);
  return 1;
});
export const rude = lattice(function rude(way: 'exits' | 'crashes' | 'loops' | 'hoards' | 'rejects' | 'throwsLater') {
  return { exits, crashes, loops, hoards, rejects, throwsLater }[way]();
});
export const beside = lattice(function beside(folder: string) {
  return gated(folder, 'neighbour', 5);
});

/** Fails until its `times`-th attempt. */
export const flaky = electron({ retries: { max: 3, delay: '20ms', jitter: 0 } }, function flaky(times: number): number {
  if (context().attempt < times) throw new Error(`attempt ${context().attempt} fails`);
  return context().attempt;
});
export const retried = lattice(function retried(times: number) {
  return good(flaky(times));
});

/** Prints, waits until all `parties` are there, prints again: their output interleaves. */
export const chatters = electron(async function chatters(
  folder: string,
  name: string,
  parties: string[],
): Promise<string> {
  for (let line = 0; line < 50; line++) console.log(`${name} out ${line}`);
  writeFileSync(`${folder}/chat-${name}`, '');
  while (!parties.every((party) => existsSync(`${folder}/chat-${party}`))) await sleep(2);
  for (let line = 50; line < 100; line++) {
    process.stdout.write(`${name} out ${line}\n`);
    console.error(`${name} err ${line}`);
    if (line % 10 === 0) await sleep(1);
  }
  return name;
});
export const chat = lattice(function chat(folder: string) {
  return ['a', 'b'].map((name) => chatters(folder, name, ['a', 'b']));
});

export const returnsFunction = electron(function returnsFunction(): unknown {
  return { model: { predict: () => 1 } };
});
export const returnsSymbol = electron(function returnsSymbol(): unknown {
  return [{ key: Symbol('s') }];
});
class Point {
  x = 1;
}
export const returnsInstance = electron(function returnsInstance(): unknown {
  return { points: [new Point()] };
});
export const unsendable = lattice(function unsendable(which: 'function' | 'symbol' | 'instance') {
  return { function: returnsFunction, symbol: returnsSymbol, instance: returnsInstance }[which]();
});
export const takes = electron(function takes(x: unknown): string {
  return typeof x;
});
export const taking = lattice(function taking(x: unknown) {
  return takes(x);
});
