/** The agent's cache of values over a real folder: what a power cut may have damaged is compared with its digest before it is used. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
