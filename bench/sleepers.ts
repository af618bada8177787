/** Electrons that run until they are cancelled, and say with a byte each in files outside Polaron that they run, and that the signal reached them. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, electron, lattice } from 'polaron';

const sleeper = electron(async function sleeper(running: string, stopped: string, _index: number): Promise<void> {
  const { signal } = context();
  signal.addEventListener('abort', () => appendFileSync(stopped, '.'));
  appendFileSync(running, '.');
  await sleep(3_600_000, undefined, { signal });
});

export const sleepers = lattice(function sleepers(running: string, stopped: string, count: number) {
  for (let index = 0; index < count; index++) sleeper(running, stopped, index);
});
