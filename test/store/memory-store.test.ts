import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../store/memory-store.ts';
import { codeOf, digestOf, bytesOf, put, textOf } from '../contract/store-contract.ts';

describe('the memory store', () => {
  it('after a crash holds what was flushed and nothing else', async () => {
    const store = openMemoryStore({ flush: 'manual' });
    const first = store.write([put('a', '1')]);
    store.flush();
    await first;
    const lost = store.write([
      put('a', '2'),
      put('b'),
      { op: 'value', digest: digestOf(bytesOf('v')), bytes: bytesOf('v') },
    ]);
    const after = store.crash();
    expect(await codeOf(() => lost)).toBe('STORE_FAILED');
    expect(await codeOf(() => store.get('a'))).toBe('STORE_FAILED');
    expect([textOf(after.get('a')), after.get('b'), after.hasValue(digestOf(bytesOf('v')))]).toEqual([
      '1',
      undefined,
      false,
    ]);
    expect(after.meta).toEqual(store.meta);
  });

  it('fails on demand as a disk does', async () => {
    const store = openMemoryStore();
    const pending = store.write([put('a')]);
    store.fail('the disk is gone');
    expect(await codeOf(() => pending)).toBe('STORE_FAILED');
    expect((await store.failed).message).toContain('the disk is gone');
    expect(await codeOf(() => store.write([put('b')]))).toBe('STORE_FAILED');
  });
});
