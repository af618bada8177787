/** Electrons that hold a key, or are alone, until the test opens their gate. */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, electron, lattice } from 'polaron';

async function gate(folder: string, name: string): Promise<string> {
  appendFileSync(`${folder}/notes`, `begin ${name}\n`);
  const { signal } = context();
  while (!existsSync(`${folder}/${name}.open`)) await sleep(5, undefined, { signal });
  appendFileSync(`${folder}/notes`, `end ${name}\n`);
  return name;
}

export const withKey = electron(
  { concurrency: { key: 'e2e', limit: 2 } },
  function withKey(folder: string, name: string): Promise<string> {
    return gate(folder, name);
  },
);
export const alone = electron({ exclusive: true }, function alone(folder: string, name: string): Promise<string> {
  return gate(folder, name);
});
export const free = electron(function free(x: number): number {
  return x + 1;
});

export const three = lattice(function three(folder: string, name: string) {
  return [withKey(folder, `${name}1`), withKey(folder, `${name}2`), withKey(folder, `${name}3`), free(1)];
});
export const one = lattice(function one(folder: string, name: string) {
  return alone(folder, name);
});
export const flaky = electron({ retries: { max: 1, delay: '1h' } }, function flaky(): number {
  throw new Error('not yet');
});
export const elsewhere = electron({ needs: ['gpu'] }, function elsewhere(x: string): string {
  return x;
});
/** Waits for everything that there is to wait for. */
export const waiting = lattice(function waiting(folder: string) {
  const held = withKey(folder, 'held');
  const behind = elsewhere(held);
  return [withKey(folder, 'second'), withKey(folder, 'third'), behind, elsewhere('x'), free(flaky())];
});
export const unkeyed = lattice(function unkeyed(x: number) {
  return free(x);
});
