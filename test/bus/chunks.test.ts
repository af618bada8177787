/** Pulling in chunks: what is asked for, how much at once, in which order it is given. Pure. */
import { describe, expect, it } from 'vitest';
import { chunksOf } from '../../bus/chunks.ts';
import { deferred } from '../../model/deferred.ts';

const bus = { maxPayload: 1_048_576 };
const CHUNK = 262_144;

describe('chunks', () => {
  it('are given in order, whatever the order in which they come', async () => {
    const asked: { readonly offset: number; readonly come: (bytes: Uint8Array) => void }[] = [];
    const read = (offset: number): Promise<Uint8Array> => {
      const { promise, resolve } = deferred<Uint8Array>();
      asked.push({ offset, come: resolve });
      return promise;
    };
    const got: number[] = [];
    const taking = (async () => {
      for await (const { bytes, wanted } of chunksOf(bus, 0, 3 * CHUNK + 5, read)) got.push(bytes[0] ?? -1, wanted);
    })();
    await Promise.resolve();
    expect(asked.map(({ offset }) => offset / CHUNK)).toEqual([0, 1, 2, 3]);
    for (const { offset, come } of asked.toReversed()) come(Uint8Array.of(offset / CHUNK));
    await taking;
    expect(got).toEqual([0, CHUNK, 1, CHUNK, 2, CHUNK, 3, 5]);
  });

  it('are asked for no further ahead than the window, and only as they are taken', async () => {
    let asked = 0;
    const chunks = chunksOf(bus, 0, 100 * CHUNK, () => {
      asked++;
      return Promise.resolve(new Uint8Array());
    });
    for (let taken = 1; taken <= 20; taken++) {
      await chunks.next();
      expect(asked).toBe(7 + taken);
    }
  });

  it('go on where an earlier pull ended, and fit into what the bus takes', async () => {
    const asked: number[][] = [];
    const read = (offset: number, length: number): Promise<Uint8Array> => {
      asked.push([offset, length]);
      return Promise.resolve(new Uint8Array(length));
    };
    for await (const _ of chunksOf({ maxPayload: 11_024 }, 5, 25_000, read));
    expect(asked).toEqual([
      [5, 10_000],
      [10_005, 10_000],
      [20_005, 4_995],
    ]);
  });

  it('that could not be had raise what was raised, once those before them were given', async () => {
    const read = (offset: number): Promise<Uint8Array> =>
      offset === CHUNK ? Promise.reject(new Error('gone')) : Promise.resolve(new Uint8Array());
    const chunks = chunksOf(bus, 0, 4 * CHUNK, read);
    expect((await chunks.next()).done).toBe(false);
    await expect(chunks.next()).rejects.toThrow('gone');
  });
});
