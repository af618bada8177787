/** What every store must do. Run over each adapter by store.test.ts. */
import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { PolaronError } from '../../model/errors.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { BlobWriter, Store, WriteOp } from '../../store/store.ts';

export interface Adapter {
  readonly name: string;
  readonly open: (options: { readonly maxValueBytes?: number; readonly pinMs?: number }) => Promise<Store>;
  /** Called after each test. */
  readonly cleanUp: () => Promise<void>;
}

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();
export const put = (key: string, value = key): WriteOp => ({ op: 'put', key, value: bytesOf(value) });
export const digestOf = (bytes: Uint8Array): Digest => {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (!isDigest(digest)) throw new Error(digest);
  return digest;
};
export const codeOf = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    return error instanceof PolaronError ? error.code : `not ours: ${String(error)}`;
  }
  return 'nothing was raised';
};
const keysOf = (entries: Iterable<{ readonly key: string }>): string[] => [...entries].map((entry) => entry.key);

export function storeContract(adapter: Adapter): void {
  const open = adapter.open;

  describe(`${adapter.name}: records`, () => {
    afterEach(adapter.cleanUp);

    it('are read as they were written, before and after the flush', async () => {
      const store = await open({});
      const flushed = store.write([put('a', '1'), put('b', '2')]);
      expect([textOf(store.get('a')), textOf(store.get('b')), store.get('c')]).toEqual(['1', '2', undefined]);
      await flushed;
      expect([textOf(store.get('a')), textOf(store.get('b')), store.get('c')]).toEqual(['1', '2', undefined]);
      const removed = store.write([{ op: 'remove', key: 'a' }, put('b', '3')]);
      expect([store.get('a'), textOf(store.get('b'))]).toEqual([undefined, '3']);
      await removed;
      expect([store.get('a'), textOf(store.get('b'))]).toEqual([undefined, '3']);
      await store.write([put('empty', '')]);
      expect(store.get('empty')?.length).toBe(0);
    });

    it('written while a flush is under way are seen over those being flushed', async () => {
      const store = await open({});
      const first = store.write([put('k', 'old'), put('gone', 'x')]);
      await new Promise(setImmediate);
      const second = store.write([put('k', 'new'), { op: 'remove', key: 'gone' }]);
      expect(textOf(store.get('k'))).toBe('new');
      expect(keysOf(store.range({ start: 'a', end: 'z' }))).toEqual(['k']);
      await first;
      expect(textOf(store.get('k'))).toBe('new');
      await second;
      expect(textOf(store.get('k'))).toBe('new');
      expect(keysOf(store.range({ start: 'a', end: 'z' }))).toEqual(['k']);
    });

    it('resolve in the order of their writes', async () => {
      const store = await open({});
      const order: number[] = [];
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < 50; i++) {
        writes.push(store.write([put(`k${i}`)]).then(() => order.push(i)));
        if (i % 7 === 0) await new Promise(setImmediate);
      }
      await Promise.all(writes);
      expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
    });

    it('are ranged by the UTF-8 bytes of their keys, in both directions, with a limit', async () => {
      const store = await open({});
      const keys = ['a', 'a/1', 'a/10', 'a/2', 'a0', 'b', 'z', 'ä', '語', '\ufffd', '😀'];
      await store.write(keys.slice(0, 6).map((key) => put(key)));
      const later = store.write(keys.slice(6).map((key) => put(key)));
      const all = { start: 'a', end: '\u{10ffff}' };
      expect(keysOf(store.range(all))).toEqual(keys);
      await later;
      expect(keysOf(store.range(all))).toEqual(keys);
      expect(keysOf(store.range({ ...all, reverse: true }))).toEqual(keys.toReversed());
      expect(keysOf(store.range({ start: 'a/', end: 'a0' }))).toEqual(['a/1', 'a/10', 'a/2']);
      expect(keysOf(store.range({ start: 'a', end: 'a0', limit: 2 }))).toEqual(['a', 'a/1']);
      expect(keysOf(store.range({ start: 'a', end: 'a0', limit: 2, reverse: true }))).toEqual(['a/2', 'a/10']);
      expect(keysOf(store.range({ start: 'b', end: 'a' }))).toEqual([]);
      expect(keysOf(store.range({ ...all, limit: 0 }))).toEqual([]);
    });

    it('agree with a plain map under any writes, at every moment', async () => {
      const key = fc.constantFrom('a', 'a/b', 'a/c', 'b', 'c/1', 'c/2', 'ü');
      const op = fc.oneof(fc.tuple(fc.constant('put' as const), key), fc.tuple(fc.constant('remove' as const), key));
      const step = fc.record({ ops: fc.array(op, { maxLength: 5 }), wait: fc.constantFrom('no', 'turn', 'flush') });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const store = await open({});
          const model = new Map<string, string>();
          let n = 0;
          for (const { ops, wait } of steps) {
            const flushed = store.write(
              ops.map(([kind, key]) => {
                if (kind === 'put') model.set(key, String(++n));
                else model.delete(key);
                return kind === 'put' ? put(key, String(n)) : { op: 'remove', key };
              }),
            );
            if (wait === 'turn') await new Promise(setImmediate);
            if (wait === 'flush') await flushed;
            const sorted = [...model].sort((a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])));
            const seen = [...store.range({ start: 'a', end: '\u{10ffff}' })].map((e) => [e.key, textOf(e.value)]);
            expect(seen).toEqual(sorted);
            const back = [...store.range({ start: 'a', end: 'c', reverse: true, limit: 2 })].map((e) => e.key);
            expect(back).toEqual(
              sorted
                .map(([key]) => key)
                .filter((key) => key < 'c')
                .toReversed()
                .slice(0, 2),
            );
          }
          await adapter.cleanUp();
        }),
        { numRuns: 25 },
      );
    });

    it('with keys that are empty or over 400 bytes are refused, and nothing of their batch is written', async () => {
      const store = await open({});
      expect(await codeOf(() => store.write([put('fine'), put('x'.repeat(401))]))).toBe('BAD_REQUEST');
      expect(await codeOf(() => store.write([put('fine'), put('語'.repeat(134))]))).toBe('BAD_REQUEST');
      expect(await codeOf(() => store.write([put('')]))).toBe('BAD_REQUEST');
      expect(store.get('fine')).toBeUndefined();
      await store.write([put('x'.repeat(400)), put('語'.repeat(133))]);
      expect(textOf(store.get('x'.repeat(400)))).toBe('x'.repeat(400));
    });

    it('cannot be written after close', async () => {
      const store = await open({});
      const last = store.write([put('a')]);
      await store.close();
      await last;
      expect(await codeOf(() => store.write([put('b')]))).toBe('STORE_FAILED');
    });
  });

  describe(`${adapter.name}: values`, () => {
    afterEach(adapter.cleanUp);

    it('that are small are there at once, in parts too', async () => {
      const store = await open({});
      const bytes = randomBytes(1_000);
      const digest = digestOf(bytes);
      expect([store.hasValue(digest), store.valueSize(digest), store.smallValue(digest)]).toEqual([
        false,
        undefined,
        undefined,
      ]);
      expect(await codeOf(() => store.readValue(digest, 0, 10))).toBe('VALUE_MISSING');
      const flushed = store.write([{ op: 'value', digest, bytes }]);
      for (let i = 0; i < 2; i++) {
        expect([store.hasValue(digest), store.valueSize(digest)]).toEqual([true, 1_000]);
        expect(Buffer.compare(store.smallValue(digest) ?? new Uint8Array(), bytes)).toBe(0);
        expect(Buffer.compare(await store.readValue(digest, 990, 100), bytes.subarray(990))).toBe(0);
        expect(await store.readValue(digest, 5_000, 10)).toHaveLength(0);
        await flushed;
      }
      await store.write([{ op: 'value', digest, bytes }]);
      expect(await codeOf(() => store.write([{ op: 'value', digest, bytes: new Uint8Array(64 * 1024 + 1) }]))).toBe(
        'VALUE_TOO_LARGE',
      );
    });

    it('that are large are uploaded in chunks, verified, and read in parts', async () => {
      const store = await open({});
      const bytes = randomBytes(700_000);
      const digest = digestOf(bytes);
      const writer = await store.openBlob(digest, bytes.length);
      for (let at = 0; at < bytes.length; at += 128 * 1024) await writer.write(bytes.subarray(at, at + 128 * 1024));
      expect([store.hasValue(digest), writer.received]).toEqual([false, bytes.length]);
      await writer.finish();
      expect([store.hasValue(digest), store.valueSize(digest), store.smallValue(digest)]).toEqual([
        true,
        700_000,
        undefined,
      ]);
      expect(Buffer.compare(await store.readValue(digest, 100_000, 300_000), bytes.subarray(100_000, 400_000))).toBe(0);
      expect(Buffer.compare(await store.readValue(digest, 699_990, 300_000), bytes.subarray(699_990))).toBe(0);
      const again = await store.openBlob(digest, bytes.length);
      expect(again.received).toBe(bytes.length);
      await again.finish();
    });

    it('are taken from several writers at once: none knows of another, and wrong bytes spoil only their own', async () => {
      const store = await open({});
      const bytes = randomBytes(300_000);
      const digest = digestOf(bytes);
      const begin = (): Promise<BlobWriter> => store.openBlob(digest, bytes.length, { resume: true });
      const [first, second, wrong, late] = [await begin(), await begin(), await begin(), await begin()];
      await first.write(bytes.subarray(0, 100_000));
      await wrong.write(randomBytes(300_000));
      await late.write(bytes.subarray(0, 1));
      expect([first.received, second.received, late.received]).toEqual([100_000, 0, 1]);
      expect(await codeOf(() => wrong.finish())).toBe('BAD_MESSAGE');
      await Promise.all([second.write(bytes), first.write(bytes.subarray(100_000))]);
      await Promise.all([second.finish(), first.finish()]);
      expect(await codeOf(() => first.write(new Uint8Array(1)))).toBe('BAD_MESSAGE');
      await first.abort();
      await late.abort();
      expect(Buffer.compare(await store.readValue(digest, 0, bytes.length), bytes)).toBe(0);
      expect((await begin()).received).toBe(bytes.length);
    });

    const storeLarge = async (store: Store, bytes: Uint8Array): Promise<Digest> => {
      const digest = digestOf(bytes);
      const writer = await store.openBlob(digest, bytes.length);
      await writer.write(bytes);
      await writer.finish();
      return digest;
    };
    const all = async (store: Store): Promise<Digest[]> => {
      const found: Digest[] = [];
      for await (const piece of store.storedValues()) found.push(...piece);
      return found.sort();
    };

    it('are all listed', async () => {
      const store = await open({});
      const small = Array.from({ length: 2_500 }, () => randomBytes(20));
      await store.write(small.map((bytes) => ({ op: 'value', digest: digestOf(bytes), bytes })));
      const large = await Promise.all([1, 2, 3].map((n) => storeLarge(store, randomBytes(100_000 + n))));
      expect(await all(store)).toEqual([...small.map(digestOf), ...large].sort());
      expect(store.valueCount()).toBeGreaterThanOrEqual(2_500);
    });

    it('that are dropped are gone for every reader in the same turn, flushed or not, and can be stored again', async () => {
      const store = await open({ pinMs: 0 });
      const bytes = randomBytes(1_000);
      const digest = digestOf(bytes);
      const large = randomBytes(200_000);
      const largeDigest = await storeLarge(store, large);
      const gone = async (one: Digest): Promise<void> => {
        expect([store.hasValue(one), store.valueSize(one), store.smallValue(one)]).toEqual([
          false,
          undefined,
          undefined,
        ]);
        expect(await codeOf(() => store.readValue(one, 0, 1))).toBe('VALUE_MISSING');
      };
      for (const flush of [true, false, true]) {
        const stored = store.write([{ op: 'value', digest, bytes }]);
        if (flush) await stored;
        expect(store.hasValue(digest)).toBe(true);
        expect(store.dropValues([digest])).toEqual({ values: 1, bytes: 1_000, held: 0 });
        await gone(digest);
        if (flush) await store.write([]);
        await gone(digest);
      }
      // dropped and stored in one batch: the last one counts
      await store.write([{ op: 'value', digest, bytes }]);
      store.dropValues([digest]);
      await store.write([{ op: 'value', digest, bytes }]);
      expect(Buffer.compare(store.smallValue(digest) ?? new Uint8Array(), bytes)).toBe(0);

      expect(store.dropValues([largeDigest])).toEqual({ values: 1, bytes: 200_000, held: 0 });
      await gone(largeDigest);
      await storeLarge(store, large);
      expect(store.valueSize(largeDigest)).toBe(200_000);
      expect(await all(store)).toEqual([digest, largeDigest].sort());
    });

    it('of the last hour stay, whatever is dropped', async () => {
      const store = await open({});
      const bytes = randomBytes(1_000);
      await store.write([{ op: 'value', digest: digestOf(bytes), bytes }]);
      const large = await storeLarge(store, randomBytes(100_000));
      const both = [digestOf(bytes), large];
      expect(store.dropValues(both)).toEqual({ values: 0, bytes: 0, held: 2 });
      expect(both.map((digest) => store.hasValue(digest))).toEqual([true, true]);
    });

    it('of another digest or size than announced are refused and leave nothing', async () => {
      const store = await open({ maxValueBytes: 1_000_000 });
      const bytes = randomBytes(200_000);
      const digest = digestOf(bytes);
      const wrong = await store.openBlob(digest, bytes.length);
      await wrong.write(randomBytes(200_000));
      expect(await codeOf(() => wrong.write(new Uint8Array(1)))).toBe('BAD_MESSAGE');
      expect(await codeOf(() => wrong.finish())).toBe('BAD_MESSAGE');
      expect(store.hasValue(digest)).toBe(false);
      const short = await store.openBlob(digest, bytes.length);
      expect(short.received).toBe(0);
      await short.write(bytes.subarray(1));
      expect(await codeOf(() => short.finish())).toBe('BAD_MESSAGE');
      await short.abort();
      const fresh = await store.openBlob(digest, bytes.length);
      expect(fresh.received).toBe(0);
      await fresh.abort();
      expect(store.hasValue(digest)).toBe(false);
      expect(await codeOf(() => store.openBlob(digest, 1_000_001))).toBe('VALUE_TOO_LARGE');
    });
  });
}
