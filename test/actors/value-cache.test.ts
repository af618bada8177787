/** The hub's cache of small values: what it keeps, what it drops, and that it keeps no more than that alive. */
import { expect, it } from 'vitest';
import { valueCache } from '../../actors/caches.ts';
import { digestOf } from '../../bus/value/digest.ts';

const value = (n: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(size).fill(n);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
};

it('gives back what was put, of all sizes, and drops the oldest when it is full', () => {
  const cache = valueCache(100_000);
  const values = Array.from({ length: 400 }, (_, i) => value(i, 4 + ((i * 37) % 6_000)));
  for (const bytes of values) cache.put(digestOf(bytes), bytes);
  const found = values.map((bytes) => cache.get(digestOf(bytes)));
  const first = found.findIndex((bytes) => bytes !== undefined);
  expect(first).toBeGreaterThan(300);
  expect(found.slice(first)).toEqual(values.slice(first));
});

it('does not hold the message that a value came in', () => {
  const message = new Uint8Array(1_000_000);
  const cache = valueCache(100_000);
  for (const [from, to] of [
    [10, 12],
    [100, 20_100],
  ] as const) {
    const bytes = message.subarray(from, to).fill(from);
    const digest = digestOf(bytes);
    cache.put(digest, bytes);
    message.fill(0);
    expect(cache.get(digest)).toEqual(new Uint8Array(to - from).fill(from));
    expect(cache.get(digest)?.buffer.byteLength).toBeLessThanOrEqual(64 * 1024);
  }
});
