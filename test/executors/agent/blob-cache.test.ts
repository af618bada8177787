/** The agent's cache of values over a real folder: what a power cut may have damaged is compared with its digest before it is used. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { digestOf } from '../../../bus/value/digest.ts';
import { BlobCache } from '../../../executors/agent/blob-cache.ts';
import { folderShelf } from '../../../executors/agent/folder-shelf.ts';

const bytes = new Uint8Array(1024 * 1024 + 1).fill(7);
const digest = digestOf(bytes);
/** Of what is given out: comparing a million bytes one by one takes seconds. */
const digestIn = async (cache: BlobCache): Promise<string | undefined> => {
  const found = await cache.get(digest, bytes.length);
  return found === undefined ? undefined : digestOf(found);
};
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'polaron-cache-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('an earlier life kept is given out while it is what its digest says', async () => {
  await new BlobCache(folderShelf(dir)).put(digest, bytes);
  const next = new BlobCache(folderShelf(dir));
  for (let times = 0; times < 2; times++) expect(await digestIn(next)).toBe(digest);
});

/** Three files of this size don't fit. */
const limit = 2 * bytes.length;
const other = (fill: number): Uint8Array => new Uint8Array(bytes.length).fill(fill);
const keep = (cache: BlobCache, value: Uint8Array): Promise<void> =>
  cache.take(digestOf(value), value.length, (to) => to.write(value));

it('a file that an electron may read stays, however many come after it, until it is given back', async () => {
  const cache = new BlobCache(folderShelf(dir), limit);
  await keep(cache, bytes);
  const lent = [await cache.lend(digest, bytes.length), await cache.lend(digest, bytes.length)];
  expect(lent[0]?.file).toBe(join(dir, digest));
  for (const fill of [1, 2, 3]) await keep(cache, other(fill));
  for (const one of lent) {
    expect(digestOf(readFileSync(join(dir, digest)))).toBe(digest);
    one?.giveBack();
    one?.giveBack();
    await keep(cache, other(4));
  }
  await keep(cache, other(5));
  expect(readdirSync(dir)).not.toContain(digest);
  expect(await cache.lend(digest, bytes.length)).toBeUndefined();
});

it('of a file that could not be filled nothing is left', async () => {
  const cache = new BlobCache(folderShelf(dir));
  const failing = cache.take(digest, bytes.length, async (to) => {
    await to.write(bytes.subarray(0, 1000));
    throw new Error('lost');
  });
  await expect(failing).rejects.toThrow('lost');
  expect(readdirSync(dir)).toEqual([]);
  expect(await cache.lend(digest, bytes.length)).toBeUndefined();
});

it('a damaged file of an earlier life is not lent', async () => {
  await keep(new BlobCache(folderShelf(dir)), bytes);
  writeFileSync(join(dir, digest), other(0));
  expect(await new BlobCache(folderShelf(dir)).lend(digest, bytes.length)).toBeUndefined();
  expect(readdirSync(dir)).toEqual([]);
});

it.each([
  ['zeros of the same length', new Uint8Array(bytes.length)],
  ['a part of it', bytes.subarray(0, 1000)],
  ['nothing', new Uint8Array(0)],
])('what has become %s is removed and fetched anew', async (_what, left) => {
  await new BlobCache(folderShelf(dir)).put(digest, bytes);
  writeFileSync(join(dir, digest), left);
  const next = new BlobCache(folderShelf(dir));
  expect(await digestIn(next)).toBeUndefined();
  expect(readdirSync(dir)).toEqual([]);
  await next.put(digest, bytes);
  expect(await digestIn(next)).toBe(digest);
});
