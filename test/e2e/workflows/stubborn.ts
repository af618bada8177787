/** Electrons that don't end by themselves, in each way that a stop must cope with; each notes its pid, and those of what it started. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, electron, lattice } from 'polaron';

const note = (folder: string, line: string): void => appendFileSync(`${folder}/notes`, `${line}\n`);

/** Stops when it is told to. */
export const obeys = electron(async function obeys(folder: string): Promise<string> {
  note(folder, `pid ${process.pid} obeys`);
  const { signal } = context();
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  note(folder, `aborted obeys ${String(signal.reason instanceof Error ? signal.reason.message : signal.reason)}`);
  return 'obeyed';
});
/** Hears neither its signal nor SIGTERM, and has a child that doesn't either. */
export const ignores = electron(async function ignores(folder: string): Promise<void> {
  process.on('SIGTERM', () => undefined);
  const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => 0); setInterval(() => 0, 1000)"]);
  note(folder, `pid ${process.pid} ignores`);
  note(folder, `pid ${child.pid ?? 0} child`);
  await sleep(600_000);
});
export const spins = electron(function spins(folder: string): void {
  note(folder, `pid ${process.pid} spins`);
  for (;;);
});
/** Waits for minutes before each further attempt. */
export const comesBackLater = electron(
  { retries: { max: 3, delay: '10m', jitter: 0 } },
  function comesBackLater(folder: string): void {
    note(folder, 'failed comesBackLater');
    throw new Error('later');
  },
);
export const finishes = electron(function finishes(folder: string): number {
  note(folder, 'ended finishes');
  return 1;
});
/** More than there are slots: one of `obeys` queues. */
export const everyWay = lattice(function everyWay(folder: string) {
  return [finishes(folder), comesBackLater(folder), obeys(folder), ignores(folder), spins(folder), obeys(folder)];
});
export const twoObey = lattice(function twoObey(folder: string) {
  return [obeys(folder), finishes(folder)];
});
export const oneIgnores = lattice(function oneIgnores(folder: string) {
  return ignores(folder);
});

export const unwanted = electron({ needs: ['a-quantum-computer'], timeout: { queue: '300ms' } }, function unwanted() {
  return 1;
});
export const endless = electron({ timeout: { total: '2s' }, retries: 5 }, function endless(folder: string): void {
  note(folder, `pid ${process.pid} endless`);
  for (;;);
});
export const silent = electron(
  { timeout: { silence: '500ms' }, retries: { max: 1, delay: 0 } },
  async function silent(folder: string): Promise<number> {
    const { attempt, signal } = context();
    console.log(`this is attempt ${attempt}`);
    note(folder, `began silent ${attempt}`);
    if (attempt === 1) await sleep(600_000, undefined, { signal });
    return attempt;
  },
);
export const inTime = lattice(function inTime(folder: string) {
  return { unwanted: unwanted(), endless: endless(folder), silent: silent(folder) };
});
export const hurried = lattice({ timeout: '1500ms' }, function hurried(folder: string) {
  return finishes(obeys(folder));
});
/** Fails until the third attempt, with a pause long enough to kill a hub in. */
export const patient = electron(
  { retries: { max: 5, delay: '4s', backoff: 1, jitter: 0 } },
  function patient(folder: string): number {
    note(folder, `began patient ${context().attempt} ${Date.now()}`);
    if (context().attempt < 3) throw new TypeError(`attempt ${context().attempt}`);
    return context().attempt;
  },
);
export const patiently = lattice(function patiently(folder: string) {
  return patient(folder);
});
