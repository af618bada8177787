/** Electrons in threads of one process: one that crashes it and one beside it, one that prints without end and one beside that. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { electron, lattice } from 'polaron';

const inThread = electron.defaults({ isolation: 'thread' });
export const stays = inThread({ name: 'stays' }, async (ms: number): Promise<string> => {
  await sleep(ms);
  return isMainThread ? 'a process of its own' : 'a thread';
});
const crashes = inThread({ name: 'crashes' }, async (ms: number): Promise<void> => {
  await sleep(ms);
  process.kill(process.pid, 'SIGSEGV');
});
export const threads = lattice({ name: 'threads' }, () => [stays(700), crashes(300)]);

/** Without a pause, so that its thread hears nothing meanwhile. */
const floods = inThread({ name: 'floods' }, (ms: number): number => {
  const line = 'x'.repeat(100_000);
  for (const end = performance.now() + ms; performance.now() < end; ) console.log(line);
  return process.pid;
});
const quick = inThread({ name: 'quick' }, async (notes: string, n: number): Promise<number> => {
  appendFileSync(notes, `${n} ${process.pid} ${Date.now()}\n`);
  await sleep(50);
  return n + 1;
});
/** Short ones, one after the other, beside one that prints without end. */
export const flood = lattice({ name: 'flood' }, (notes: string, ms: number, rounds: number) => {
  const first = quick(notes, 0);
  let last = first;
  for (let i = 1; i < rounds; i++) last = quick(notes, last);
  return { host: floods(ms), last };
});
