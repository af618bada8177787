/** Instances of users' classes through a whole system, and what is said where a codec is missing or broken. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { breaking, breakingHere, everywhere, passing } from './workflows/instances.ts';
import { Broken, Matrix } from './workflows/matrix.ts';

const hub = new RealHub();
beforeAll(() => hub.start());
afterAll(() => hub.close());

it('instances arrive as instances: as arguments, results, in collections, as items of a map, small and large', async () => {
  const id = await dispatch(everywhere)(Matrix.filled(2, 3));
  const two = Matrix.filled(2, 2);
  expect(await getValue(id)).toStrictEqual({
    doubled: Matrix.filled(2, 6),
    nested: { list: [two], map: new Map([['m', two]]), set: new Set([two]), shared: [two, two] },
    items: [0, 1, 2].map((i) => Matrix.filled(i + 1, 2 * i)),
    total: 2 * 4 + 4 * 9,
    largeSum: 300 * 300 + 12,
    inside: [3, 6].map((x) => ({ m: Matrix.filled(2, x), doubled: Matrix.filled(2, 2 * x) })),
  });
  expect(await everywhere.local(Matrix.filled(2, 3))).toStrictEqual(await getValue(id));

  const { out } = await hub.script(`
    import { getValue } from 'polaron';
    await getValue('${id}').catch((error) => console.log(error.code + '|' + error.message));`);
  expect(out).toBe(
    "CODEC_MISSING|the lattice's output: the value at $.doubled can't be read at $: it is a Matrix, and no codec of that name is registered here. " +
      "Import the module that calls registerCodec(…, { name: 'Matrix' }): on agents, from the module of the electron\n",
  );
  const shown = await hub.polaron(['result', id]);
  expect(shown.out).toContain('Matrix { rows: 2');
  expect(await hub.json(['result', id])).toMatchObject({
    value: { doubled: { $type: 'codec', name: 'Matrix', value: { rows: 2 } } },
  });
});

describe('a codec that is broken', () => {
  const cases = [
    [
      'encode',
      'RESULT_NOT_SERIALISABLE',
      'electron "breaks": result is not serialisable at $.deep[0] (the codec of Broken (matrix.ts:#) threw while encoding: RangeError: no such cell)',
    ],
    [
      'content',
      'RESULT_NOT_SERIALISABLE',
      'electron "breaks": result is not serialisable at $.deep[0].cell (function cell, in what the codec of Broken made)',
    ],
    [
      'decode',
      'CODEC_FAILED',
      'electron "takes": the value for argument 1 (at $.of) can\'t be read at $.deep[0]: the codec of Broken (matrix.ts:#) threw while decoding: TypeError: what is this',
    ],
  ] as const;
  it.each(cases)('in %s fails the electron with %s, path and name, and without a retry', async (how, code, text) => {
    const result = await dispatchSync(breaking)(how);
    expect(result).toMatchObject({ status: 'failed', error: { code } });
    expect(result.status === 'failed' && result.error.message.replaceAll(/\.ts:\d+/g, '.ts:#')).toContain(text);
    expect((await result.electrons.get(how === 'decode' ? 'takes' : 'breaks')).attempts).toBe(1);
  });

  it('is named with the line at dispatch', async () => {
    await expect(dispatch(passing)(new Broken('encode'))).rejects.toMatchObject({
      code: 'NOT_SERIALISABLE',
      message: expect.stringMatching(
        /^electron "takes" \(instances\.ts:\d+\), argument 1 is not serialisable .*\(the codec of Broken \(matrix\.ts:\d+\) threw/,
      ),
    });
    await expect(dispatch(breakingHere)()).rejects.toMatchObject({
      code: 'NOT_SERIALISABLE',
      message: expect.stringMatching(
        /^electron "takes" \(instances\.ts:\d+\), argument 1 is not serialisable at \$\.of\[0\] \(the codec of Broken \(matrix\.ts:\d+\) threw/,
      ),
    });
  });
});
