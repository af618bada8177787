/** What of an attempt's arguments travels in the assign, and what is left to be pulled. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readInputs } from '../../../actors/electron/inputs.ts';
import { valueCache } from '../../../actors/caches.ts';
import type { Arguments } from '../../../bus/protocol/actors.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { encodeList, listLength } from '../../../bus/value/list.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import type { ErrorInfo, ValueInfo } from '../../../model/outcome.ts';
import { makeHubWorld, type HubWorld } from '../support/hub-world.ts';

const KIB = 1024;
let world: HubWorld;
let asked: string[];
beforeEach(() => {
  world = makeHubWorld();
  asked = [];
});
afterEach(() => world.close());

type Read = Arguments | { readonly error: ErrorInfo };
function read(template: Uint8Array, inputs: readonly ValueInfo[] = []): Promise<Read> {
  const { results } = world;
  const values = valueCache(1_000_000);
  const ask = results.ask.bind(results);
  results.ask = (type, body, timeoutMs) => {
    asked.push(type);
    return ask(type, body, timeoutMs);
  };
  return new Promise((resolve) => {
    const ready = readInputs({ template, inputs }, values, results, world.clock.monotonic(), resolve);
    if (ready !== undefined) resolve(ready);
  });
}
const stored = (value: unknown): ValueInfo => {
  const bytes = encodeValue(value, 'value');
  const info = valueInfoOf(bytes);
  void world.store.write([{ op: 'value', digest: info.digest, bytes }]);
  return info;
};

it('a template of up to 128 KiB travels whole', async () => {
  const template = new Uint8Array(128 * KIB);
  const found = await read(template);
  expect(!('error' in found) && found.template === template).toBe(true);
  expect(asked).toEqual([]);
});

it('a larger template is stored and pulled, and stored once for all attempts and items that share it', async () => {
  const template = new Uint8Array(128 * KIB + 1).fill(7);
  const info = valueInfoOf(template);
  const one = stored(1);
  const [first, second] = await Promise.all([read(template, [one]), read(template)]);
  expect(first).toEqual({ template: info, inputs: [encodeValue(1, 'value')] });
  expect(second).toEqual({ template: info, inputs: [] });
  expect(await read(template)).toEqual({ template: info, inputs: [] });
  expect(asked.filter((type) => type === 'results.store')).toHaveLength(1);
  expect(digestOf(await world.store.readValue(info.digest, 0, info.size))).toBe(info.digest);
});

it('a stored template is stored again before a sweep may take it', async () => {
  const template = new Uint8Array(128 * KIB + 1).fill(8);
  await read(template);
  await world.clock.advance(29 * 60_000);
  await read(template);
  expect(asked.filter((type) => type === 'results.store')).toHaveLength(1);
  await world.clock.advance(2 * 60_000);
  await read(template);
  expect(asked.filter((type) => type === 'results.store').length).toBeGreaterThan(1);
});

it('template and inputs that are both too large become two values', async () => {
  const template = new Uint8Array(200 * KIB).fill(9);
  const infos = Array.from({ length: 300 }, (_, i) => stored('x'.repeat(1_000) + i));
  const found = await read(template, infos);
  if ('error' in found || !('digest' in found.inputs)) throw new Error('no list');
  expect(found.template).toEqual(valueInfoOf(template));
  expect(found.inputs.length).toBe(300);
  const list = await world.store.readValue(found.inputs.digest, 0, found.inputs.size);
  const elements = infos.map((_, i) => encodeValue('x'.repeat(1_000) + i, 'value'));
  expect([listLength(list), digestOf(list)]).toEqual([300, digestOf(encodeList(elements))]);
});

it('a store that fails is an error with its code, and the next attempt tries again', async () => {
  const template = new Uint8Array(150 * KIB).fill(3);
  const openBlob = world.store.openBlob.bind(world.store);
  world.store.openBlob = () => Promise.reject(new Error('the disk is full'));
  expect(await read(template)).toMatchObject({ error: { message: 'the disk is full' } });
  world.store.openBlob = openBlob;
  expect(await read(template)).toMatchObject({ template: valueInfoOf(template) });
});
