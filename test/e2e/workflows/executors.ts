/** Electrons for the executors of docs/guides/executors.md. */
import { appendFileSync, existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { electron, lattice } from 'polaron';

const priority = electron({ executor: { type: 'nice', level: 7 } }, function priority(): number {
  return getPriority();
});
const wrongLevel = electron({ executor: { type: 'nice', level: 70 }, retries: 3 }, function wrongLevel(): number {
  return getPriority();
});
const waits = electron({ executor: 'spooled' }, async function waits(folder: string): Promise<string> {
  appendFileSync(`${folder}/notes`, `began ${process.pid}\n`);
  while (!existsSync(`${folder}/gate`)) await new Promise((resolve) => setTimeout(resolve, 20));
  return 'through the gate';
});

export const low = lattice(function low() {
  return priority();
});
export const tooLow = lattice(function tooLow() {
  return wrongLevel();
});
export const spooled = lattice(function spooled(folder: string) {
  return waits(folder);
});
