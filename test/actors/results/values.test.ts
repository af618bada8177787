import { expect, it } from 'vitest';
import { storeBytes, wholeValue } from '../../../actors/results/values.ts';
import { openMemoryStore } from '../../../store/memory-store.ts';

it('a large value that is wanted twice at once is stored once, and both have it', async () => {
  const store = openMemoryStore();
  const bytes = new Uint8Array(1_000_000).map((_, i) => i % 251);
  const [a, b] = await Promise.all([storeBytes(store, bytes), storeBytes(store, bytes)]);
  expect(a).toEqual(b);
  expect(Buffer.compare(await wholeValue(store, a.digest), bytes)).toBe(0);
  expect(await storeBytes(store, bytes)).toEqual(a);
});
