/** The C driver by itself: the system's libraries, and a small one of ours where there is a compiler. */
import { dirname } from 'node:path';
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { runC } from '../../leptons/c.ts';
import { compiledLibrary, libc, libm } from '../support/c-library.ts';

const small = compiledLibrary();
afterAll(() => {
  if (small !== undefined) rmSync(dirname(small), { recursive: true, force: true });
});

const call = (library: string, fn: string, types: readonly string[], returns: string, ...args: readonly unknown[]) =>
  runC({ language: 'c', name: 'it', library, function: fn, arguments: types, returns }, args);

describe("the system's libraries", () => {
  it('take and give numbers, texts and buffers', () => {
    expect(call(libm, 'cos', ['double'], 'double', 0)).toBe(1);
    expect(call(libm, 'powf', ['float', 'float'], 'float', 2, 10)).toBe(1024);
    expect(call(libc, 'abs', ['int'], 'int', -5)).toBe(5);
    expect(call(libc, 'strlen', ['string'], 'size_t', 'häh')).toBe(4n);
    expect(call(libc, 'getenv', ['string'], 'string', 'PATH')).toBe(process.env['PATH']);
    expect(call(libc, 'getenv', ['string'], 'string', 'NO_SUCH')).toBeNull();
    expect(call(libm, 'modf', ['double', 'out double[]'], 'double', 3.25, 1)).toEqual([0.25, new Float64Array([3])]);
  });

  it('leave what is read as it is, and change a copy of what is given back', () => {
    const given = Buffer.from([1, 2, 3]);
    const types = ['inout uint8[]', 'int', 'size_t'];
    expect(call(libc, 'memset', types, 'void', given, 7, 2)).toEqual([new Uint8Array([7, 7, 3])]);
    expect([...given]).toEqual([1, 2, 3]);
  });

  it.each([
    ['nolib.so.9', 'f', /^lepton "it": the library "nolib.so.9" can't be loaded here \(/],
    [libm, 'no_such_function', /^lepton "it": the library ".*" has no function "no_such_function" \(/],
  ])('that are not there say so: %s %s', (library, fn, message) => {
    expect(() => call(library, fn, [], 'void')).toThrow(expect.objectContaining({ code: 'LEPTON_MISSING' }));
    expect(() => call(library, fn, [], 'void')).toThrow(message);
  });

  it.each([
    ['double', '1', 'is "1"; expected a number for float64'],
    ['int8', 128, 'is 128; expected a number for int8'],
    ['uint32', -1, 'expected a number for uint32'],
    ['int32', 1.5, 'expected a number for int32'],
    ['int64', 2 ** 60, 'expected a bigint or whole number for int64'],
    ['uint64', -1n, 'expected a bigint or whole number for uint64'],
    ['uint64', 2n ** 64n, 'expected a bigint or whole number for uint64'],
    ['bool', 1, 'expected true or false'],
    ['string', 'a\0b', 'expected a text without zero bytes, or null'],
    ['string', 5, 'expected a text'],
    ['double[]', [1, 2], 'is a Array; expected a Float64Array'],
    ['inout float[]', new Float64Array(1), 'is a Float64Array; expected a Float32Array'],
    ['out double[]', -1, 'expected how many elements of float64 to make, at most'],
    ['out double[]', 2 ** 40, 'expected how many elements of float64 to make, at most'],
  ])('get no %s that is %s', (type, value, message) => {
    expect(() => call(libm, 'cos', [type], 'double', value)).toThrow(message);
    expect(() => call(libm, 'cos', [type], 'double', value)).toThrow(
      expect.objectContaining({ code: 'LEPTON_ARGUMENT' }),
    );
  });

  it('get as many arguments as they take', () => {
    expect(() => call(libm, 'cos', ['double'], 'double')).toThrow('lepton "it" got 0 arguments; cos takes 1');
  });
});

describe.skipIf(small === undefined)('a library of our own', () => {
  const own = (fn: string, types: readonly string[], returns: string, ...args: readonly unknown[]) =>
    call(small ?? '', fn, types, returns, ...args);

  it('reads buffers, writes them, and makes them', () => {
    expect(own('sum', ['double[]', 'int'], 'double', new Float64Array([1, 2, 3.5]), 3)).toBe(6.5);
    const x = new Float32Array([1, 2]);
    expect(own('scale', ['inout float[]', 'int', 'float'], 'void', x, 2, 3)).toEqual([new Float32Array([3, 6])]);
    expect(x).toEqual(new Float32Array([1, 2]));
    expect(own('squares', ['out int64[]', 'int'], 'int', 3, 3)).toEqual([3, new BigInt64Array([0n, 1n, 4n])]);
    const types = ['uint8[]', 'int', 'out uint8[]', 'out uint8[]'];
    expect(own('split', types, 'void', new Uint8Array([0x12, 0xf0]), 2, 2, 2)).toEqual([
      new Uint8Array([2, 0]),
      new Uint8Array([1, 15]),
    ]);
  });

  it('has whole numbers of 64 bits, truth, texts, and what is a part of a larger array', () => {
    expect(own('big', ['uint64'], 'uint64', 2n ** 64n - 2n)).toBe(2n ** 64n - 1n);
    expect(own('big', ['uint64'], 'uint64', 41)).toBe(42n);
    expect(own('negate', ['bool'], 'bool', true)).toBe(false);
    expect(own('greet', ['string'], 'string', 'Åse')).toBe('hello Åse');
    expect(own('greet', ['string'], 'string', null)).toBeNull();
    expect(own('byte', ['int8'], 'int8', -128)).toBe(-128);
    expect(own('sum', ['double[]', 'int'], 'double', new Float64Array([9, 1, 2, 9]).subarray(1, 3), 2)).toBe(3);
  });
});
