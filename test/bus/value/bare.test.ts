/** Typed arrays and buffers by themselves: their bytes go to a file and come from it as they are, and are what the codec makes of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { registry } from '../../../bus/protocol/registry.ts';
import { BARE_HEAD, bareOf, bareReading } from '../../../bus/value/bare-value.ts';
import { typedArrays } from '../../../bus/value/format.ts';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import { decodeFile, writePieces } from '../../../executors/runner/value-files.ts';
import { PolaronError } from '../../../model/errors.ts';
import { maxValueBytesOf } from '../../../model/value-limit.ts';

const folder = mkdtempSync(join(tmpdir(), 'polaron-bare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => registry().codecs.clear());

const bytes = Uint8Array.from({ length: 80_000 }, (_, i) => i * 7);
const kinds: Readonly<Record<string, unknown>> = {
  Uint8Array: bytes,
  Buffer: Buffer.from(bytes),
  ArrayBuffer: bytes.slice().buffer,
  DataView: new DataView(bytes.slice().buffer),
  'a part of a buffer': new Float32Array(bytes.slice().buffer, 4, 18_000),
  ...Object.fromEntries(Object.entries(typedArrays).map(([name, Class]) => [name, new Class(bytes.slice().buffer)])),
};

/** Compared so, since `toEqual` looks at each number by itself. */
const contentOf = (x: unknown): Buffer =>
  ArrayBuffer.isView(x)
    ? Buffer.from(x.buffer, x.byteOffset, x.byteLength)
    : x instanceof ArrayBuffer
      ? Buffer.from(x)
      : Buffer.alloc(0);

describe('a bare value', () => {
  it.each(Object.entries(kinds))('%s is not copied, and encoded as every other value', (_, value) => {
    const bare = bareOf(value);
    expect(bare?.body.buffer).toBe(value instanceof ArrayBuffer ? value : Reflect.get(Object(value), 'buffer'));
    const encoded = encodeValue(value, 'test');
    expect(Buffer.concat([bare?.head ?? encoded, bare?.body ?? encoded]).equals(encoded)).toBe(true);
    const file = join(folder, 'value');
    writePieces(file, [bare?.head ?? encoded, bare?.body ?? encoded]);
    const back = decodeFile(file, 'it');
    expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(value));
    expect(contentOf(back).equals(contentOf(value))).toBe(true);
    expect(contentOf(decodeValue(encoded)).equals(contentOf(value))).toBe(true);
    expect(bareReading(encoded.subarray(0, BARE_HEAD), encoded.length)?.from).toBe(bare?.head.length);
  });

  it('is none that is small, shared, of a subclass, has a codec, or is anything else', () => {
    class Mine extends Float64Array {}
    const shared = new Uint8Array(new SharedArrayBuffer(100_000));
    for (const other of [new Uint8Array(10), shared, new Mine(100_000), [bytes], 'x'.repeat(100_000), undefined, null])
      expect(bareOf(other)).toBeUndefined();
    registry().codecs.set('F', { name: 'F', ctor: Float64Array, encode: () => 1, decode: () => 1 });
    expect(bareOf(new Float64Array(100_000))).toBeUndefined();
    expect(bareOf(new Float32Array(100_000))).toBeDefined();
  });

  it('is not read where the bytes are something else, or of another length', () => {
    for (const value of [{ bytes }, [bytes], new Map([[1, bytes]]), 'x'.repeat(100_000)]) {
      const encoded = encodeValue(value, 'test');
      expect(bareReading(encoded, encoded.length)).toBeUndefined();
    }
    const encoded = encodeValue(new Float64Array(10_000), 'test');
    expect(bareReading(encoded, encoded.length - 1)).toBeUndefined();
    expect(bareReading(encoded.subarray(0, 7), encoded.length)).toBeUndefined();
  });
});

describe('more than fits into a buffer', () => {
  it('is VALUE_TOO_LARGE with the path, before anything is copied', () => {
    const before = process.memoryUsage().rss;
    const huge = new Uint8Array(2 ** 31); // the system gives no page of it before it is touched
    for (const [value, where] of [
      [{ a: [huge] }, 'result at $.a[0]'],
      [huge, 'result'],
    ] as const) {
      let thrown: unknown;
      try {
        encodeValue(value, 'result');
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(PolaronError);
      expect(thrown).toMatchObject({
        code: 'VALUE_TOO_LARGE',
        message: expect.stringContaining(
          `${where} takes more than 2146435072 bytes; at most 2146435072 are kept. Split it`,
        ),
      });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(500 * 1024 ** 2);
  });

  it('can’t be allowed by the environment', () => {
    expect(maxValueBytesOf({})).toBe(1024 ** 3 + 1024 ** 2);
    expect(maxValueBytesOf({ POLARON_MAX_VALUE_BYTES: '2000000000' })).toBe(2_000_000_000);
    for (const wrong of ['1', '3000000000', '1 GiB', '-5', '1.5'])
      expect(() => maxValueBytesOf({ POLARON_MAX_VALUE_BYTES: wrong })).toThrow(
        `POLARON_MAX_VALUE_BYTES is "${wrong}"; expected a number of bytes from 65536 to 2146435072`,
      );
  });
});
