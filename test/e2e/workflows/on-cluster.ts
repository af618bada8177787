/** Electrons for agents that offer `cluster`. */
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { electron, lattice } from 'polaron';

const onNode = electron({ needs: ['cluster'] }, function onNode(value: number): number {
  return value * value;
});
const sum = electron({ needs: ['cluster'] }, function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
});
/** The sum of squares below a number. */
export const squaresOnCluster = lattice(function squaresOnCluster(count: number) {
  return sum(Array.from({ length: count }, (_, index) => onNode(index)));
});

/** Says that it runs, and goes on until it is told: files in a folder. It counts how often it began. */
const longOnNode = electron({ needs: ['cluster'] }, async function longOnNode(folder: string): Promise<string> {
  writeFileSync(`${folder}/began`, 'x', { flag: 'a' });
  while (!existsSync(`${folder}/open`)) await sleep(10);
  return 'done';
});
export const longOnCluster = lattice(function longOnCluster(folder: string) {
  return longOnNode(folder);
});
