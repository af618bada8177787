/** Values through a whole system: every kind, paths into them, and large ones; maps over what is known only at run time. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getResult, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { describeKinds, digestOf, everyKind, kindsEverywhere, large, noise, paths } from './workflows/kinds.ts';
import { doubled, ordered, overNoArray, squares, tagged } from './workflows/maps.ts';

const hub = new RealHub();
beforeAll(() => hub.start());
afterAll(() => hub.close());

const MIB = 1024 * 1024;

describe('values', () => {
  it('of all kinds arrive as they were: as argument, from electron to electron, and as result', async () => {
    const id = await dispatch(kindsEverywhere)(everyKind());
    const value = await getValue(id);
    const wanted = describeKinds(everyKind());
    expect(value.ofMade).toEqual(wanted);
    expect(value.ofGiven.said).toEqual(wanted);
    expect(describeKinds(value.made)).toEqual(wanted);
    expect(describeKinds(value.ofGiven.same)).toEqual(wanted);
    expect(describeKinds(value.literal)).toEqual(wanted);
    const [args] = await (await getResult(id)).args();
    expect(args).toEqual(everyKind());
  });

  it('are read by paths into them', async () => {
    expect(await getValue(await dispatch(paths)())).toEqual({ said: '0.5 y 2', id: 1 });
  });

  it.each([1, 20])('of %i MiB travel as argument, between electrons and as result', async (mib) => {
    const given = noise(mib * MIB, 3);
    const made = noise(mib * MIB, 7);
    const id = await dispatch(large)(given, mib * MIB);
    const value = await getValue(id);
    expect(value.given).toEqual({ size: mib * MIB, sha: digestOf(given) });
    expect(value.made).toEqual({ size: mib * MIB, sha: digestOf(made) });
    expect(digestOf(value.joined)).toBe(digestOf(Buffer.concat([given, made])));
    expect(digestOf(value.echo)).toBe(digestOf(made));
    const result = await getResult(id);
    const argument: unknown = (await result.args())[0];
    expect(argument instanceof Uint8Array && digestOf(argument)).toBe(digestOf(given));
    const kept = await (await result.electrons.get('makeNoise')).value();
    expect(kept instanceof Uint8Array && digestOf(kept)).toBe(digestOf(made));
  });
});

describe('map', () => {
  it.each([0, 1, 1_000])('over %i items runs an electron for each', async (count) => {
    const result = await dispatchSync(doubled)(count);
    const twice = Array.from({ length: count }, (_, index) => 2 * index);
    expect(result).toMatchObject({
      status: 'completed',
      value: { twice, sum: twice.reduce((a, b) => a + b, 0), howMany: count },
    });
    const names: string[] = [];
    for await (const one of result.electrons.list({ name: 'double', status: 'completed' })) names.push(one.name);
    // The map is a node, too; it has its electron's name.
    expect(names).toEqual(['double', ...twice.map((_, index) => `double[${index}]`)]);
  });

  it.each([0, 1, 25])('over a path, with a callback that uses outer Refs, for %i items', async (count) => {
    const value = await getValue(await dispatch(tagged)(count));
    expect(value).toEqual(Array.from({ length: count }, (_, index) => `i${index}:${index * 10 + index}/${count}`));
  });

  it('over what is no array fails with a code, and names its line in the script and whose value that was', async () => {
    const line = readFileSync(new URL('./workflows/maps.ts', import.meta.url), 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('notAList().map'));
    expect(await dispatchSync(overNoArray)()).toMatchObject({
      status: 'failed',
      error: {
        node: 'double',
        code: 'MAP_ARG',
        message: `map "double" (maps.ts:${line + 1}): the value of "notAList" that it runs over is not an array`,
      },
    });
  });

  it('in a map composes', async () => {
    expect(await getValue(await dispatch(squares)())).toEqual([5, 0, 9]);
  });
});

it('after() orders electrons that share no data', async () => {
  const file = join(mkdtempSync(join(hub.home, 'ordered-')), 'lines');
  expect(await getValue(await dispatch(ordered)(file))).toBe('third');
  expect(readFileSync(file, 'utf8')).toBe('first\nsecond\nthird\n');
});
