/** Electrons that leave a byte each outside Polaron, and last long enough that nearly all of their like are open when a hub is killed. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { electron, lattice } from 'polaron';

const stamped = electron(async function stamped(file: string, _index: number): Promise<void> {
  await sleep(10);
  appendFileSync(file, '.');
});

export const stampedTimes = lattice(function stampedTimes(file: string, count: number) {
  for (let index = 0; index < count; index++) stamped(file, index);
});
