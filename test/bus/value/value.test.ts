import * as fc from 'fast-check';
import { unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import { PolaronError } from '../../../model/errors.ts';

const round = (x: unknown): unknown => decodeValue(encodeValue(x, 'test'));
const errorOf = (act: () => unknown): PolaronError => {
  try {
    act();
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('nothing was raised');
};
const refusal = (x: unknown): string => errorOf(() => encodeValue(x, 'result')).message;
const field = (x: unknown, key: PropertyKey): unknown =>
  typeof x === 'object' && x !== null ? Reflect.get(x, key) : x;

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, 0, -0, Number.NaN, Infinity, -Infinity),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
  fc.float64Array(),
  fc.int16Array(),
  fc.bigUint64Array(),
  fc.uint8ClampedArray(),
  fc.webUrl().map((url) => new URL(url)),
  fc.constantFrom(/a+b/gi, /\u{1F600}|[/]/u, new RegExp('')),
);
const anything = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('any'), { maxLength: 20 }),
    fc
      .dictionary(fc.string({ maxLength: 60 }), tie('any'), { noNullPrototype: true })
      .filter((o) => !Object.hasOwn(o, '__proto__')),
    fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 8 }).map((entries) => new Map(entries)),
    fc.array(tie('any'), { maxLength: 8 }).map((items) => new Set(items)),
  ),
})).any;

describe('a value', () => {
  it('comes back as it was, whatever it is made of', () => {
    fc.assert(
      fc.property(anything, (x) => {
        expect(round(x)).toStrictEqual(x);
      }),
      { numRuns: 1_500 },
    );
  });

  it('gives the same bytes every time', () => {
    fc.assert(
      fc.property(anything, (x) => {
        expect(Buffer.compare(encodeValue(x, 'a'), encodeValue(round(x), 'b'))).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps -0, invalid dates and text of any length', () => {
    expect(Object.is(round(-0), -0)).toBe(true);
    expect(Object.is(field(round([-0]), 0), -0)).toBe(true);
    expect(String(round(new Date(Number.NaN)))).toBe('Invalid Date');
    for (const length of [0, 31, 32, 48, 49, 84, 85, 86, 255, 256, 21_845, 21_846, 65_535, 65_536, 100_000]) {
      for (const unit of ['a', 'ä', '語', '😀']) expect(round(unit.repeat(length)) === unit.repeat(length)).toBe(true);
    }
  });

  it('keeps every kind of buffer and view, with its elements', () => {
    const odd = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).subarray(1, 9);
    expect(round(odd)).toStrictEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(round(new Float32Array([1.5, -0]))).toStrictEqual(new Float32Array([1.5, -0]));
    const buffer = round(Buffer.from('hello'));
    expect(Buffer.isBuffer(buffer) && buffer.toString()).toBe('hello');
    expect(round(new Uint8Array([1, 2]).buffer)).toStrictEqual(new Uint8Array([1, 2]).buffer);
    const view = round(new DataView(new Uint8Array([9, 1, 2]).buffer, 1));
    expect(view instanceof DataView && view.getUint16(0)).toBe(258);
  });

  it('keeps errors with their class, cause and own properties', () => {
    const cause = new RangeError('inner');
    const error = Object.assign(new TypeError('outer', { cause }), { code: 'E_X', info: { a: 1 } });
    const back = round(error);
    expect(back).toBeInstanceOf(TypeError);
    expect(back).toMatchObject({ message: 'outer', code: 'E_X', info: { a: 1 }, stack: error.stack });
    expect(field(back, 'cause')).toBeInstanceOf(RangeError);
    expect(Object.keys(back instanceof Error ? back : {})).toEqual(['code', 'info']);
    const many = round(new AggregateError([new Error('a'), 5], 'several'));
    expect(many).toBeInstanceOf(AggregateError);
    expect(field(many, 'errors')).toMatchObject([{ message: 'a' }, 5]);
    expect(errorOf(() => encodeValue(Object.assign(new Error('x'), { f: () => 1 }), 'r')).details['path']).toBe('$.f');
  });

  it('keeps cycles and shared references, through maps and sets too', () => {
    const shared = { s: 1 };
    const x: Record<string, unknown> = { a: shared, b: [shared], bytes: new Uint8Array([1]) };
    x['self'] = x;
    x['map'] = new Map<unknown, unknown>([[x, shared]]);
    x['set'] = new Set([x, x['map']]);
    const back = round(x);
    expect(field(back, 'self')).toBe(back);
    expect(field(field(back, 'b'), 0)).toBe(field(back, 'a'));
    const map = field(back, 'map');
    expect(map instanceof Map && map.get(back)).toBe(field(back, 'a'));
    const set = field(back, 'set');
    expect(set instanceof Set && set.has(back) && set.has(map)).toBe(true);
    const error = new Error('loop');
    error.cause = error;
    const looped = round(error);
    expect(field(looped, 'cause')).toBe(looped);
  });

  it('takes null-prototype objects as plain ones', () => {
    const x: unknown = Object.assign(Object.create(null), { a: 1 });
    expect(round(x)).toStrictEqual({ a: 1 });
  });

  it("is the receiver's own: its bytes are copies", () => {
    const encoded = encodeValue({ bytes: new Uint8Array([1, 2, 3]) }, 'x');
    const back = decodeValue(encoded);
    encoded.fill(0);
    expect(back).toStrictEqual({ bytes: new Uint8Array([1, 2, 3]) });
  });

  it('of plain data is standard MessagePack behind its tag', () => {
    const x = { a: [1, -200, 70_000, 1.5, 'ä'], b: { c: null, d: true }, e: new Uint8Array([1]) };
    expect(unpack(encodeValue(x, 'x').subarray(1))).toEqual(x);
  });
});

describe('what would be lost', () => {
  class Model {
    weights = [1];
  }
  class MyMap extends Map {}
  class MyError extends Error {}
  class List extends Array {}

  it('is refused with its path, what it is and what to do', () => {
    expect(errorOf(() => encodeValue({ model: { predict: () => 1 } }, 'electron "trainSvm": result')).message).toBe(
      'electron "trainSvm": result is not serialisable at $.model.predict (function predict); pass data, and call functions of your modules inside the electron',
    );
    expect(errorOf(() => encodeValue({ a: [{ 'odd key': Symbol('s') }] }, 'x')).details['path']).toBe(
      '$.a[0]["odd key"]',
    );
    expect(errorOf(() => encodeValue(new Map([['k', { f() {} }]]), 'x')).details['path']).toBe('$.k.f');
    expect(errorOf(() => encodeValue((1 as unknown) && Symbol('s'), 'x', 'RESULT_NOT_SERIALISABLE')).code).toBe(
      'RESULT_NOT_SERIALISABLE',
    );
  });

  it.each<[string, () => unknown, string]>([
    ['a function', () => [() => 1], 'function'],
    ['a symbol', () => Symbol('x'), 'symbol'],
    ['a symbol key', () => ({ [Symbol('k')]: 1 }), 'symbol Symbol(k)'],
    ['a class instance', () => ({ m: new Model() }), 'instance of Model'],
    ['a subclass of Map', () => new MyMap(), 'instance of MyMap'],
    ['a subclass of Array', () => new List(), 'instance of List'],
    ['a subclass of Error', () => new MyError('x'), 'error of class MyError'],
    ['half a surrogate pair', () => ['\ud800'], 'surrogate'],
    ['half a surrogate pair in a long text', () => ['ä'.repeat(100) + '\udc00'], 'surrogate'],
    ['half a surrogate pair in a key', () => ({ 'a\ud800': 1 }), 'surrogate'],
    ['a sparse array', () => ({ a: [1, , 3] }), '$.a[1] (a hole'], // oxlint-disable-line no-sparse-arrays
    ['a __proto__ key', () => JSON.parse('{"__proto__": {"x": 1}}'), '__proto__'],
    ['a boxed number', () => [Object(5)], 'boxed Number'],
    ['a WeakMap', () => new WeakMap(), 'WeakMap'],
    ['a generator', () => (function* () {})(), 'not serialisable'],
    ['a match with groups', () => /a/.exec('a'), 'property added to Array'],
    ['properties on a Map', () => Object.assign(new Map(), { x: 1 }), 'property added to Map'],
    [
      'a throwing getter',
      () => Object.defineProperty({}, 'x', { enumerable: true, get: () => BigInt('no') }),
      '$.x (reading',
    ],
    ['a SharedArrayBuffer', () => new SharedArrayBuffer(1), 'SharedArrayBuffer'],
    [
      'arguments',
      () =>
        (function () {
          return arguments;
        })(),
      'arguments',
    ],
    ['a global class', () => new Headers(), 'Headers'],
  ])('%s is refused', (_name, make, part) => {
    expect(refusal(make())).toContain(part);
  });

  it('a promise has a code of its own', () => {
    const error = errorOf(() => encodeValue({ p: Promise.resolve(1) }, 'argument 1'));
    expect(error.code).toBe('PROMISE_ARG');
    expect(error.message).toContain('$.p (promise); await it first');
  });

  it('nesting deeper than a thousand is refused, not a stack overflow', () => {
    let deep: unknown[] = [];
    for (let i = 0; i < 50_000; i++) deep = [deep];
    expect(refusal(deep)).toContain('nested deeper');
    let fine: unknown = 1;
    for (let i = 0; i < 999; i++) fine = { x: [fine] }.x;
    expect(round(fine)).toStrictEqual(fine);
  });
});

describe('decoding', () => {
  it('of hostile bytes gives BAD_MESSAGE, or names a codec or a value that is not there, and nothing else', () => {
    const whole = encodeValue(
      { m: new Map([[1, new Set([/a/, new Error('x')])]]), d: new Date(0), f: new Float64Array(3) },
      'x',
    );
    for (let end = 0; end < whole.length; end++) {
      expect(errorOf(() => decodeValue(whole.subarray(0, end))).code).toBe('BAD_MESSAGE');
    }
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 60 }), (at, byte, noise) => {
        const changed = Uint8Array.from(whole);
        changed[at] = byte;
        for (const bytes of [changed, Uint8Array.from([1, ...noise]), Uint8Array.from([2, 4, ...noise])]) {
          try {
            decodeValue(bytes);
          } catch (error) {
            seen.add(error instanceof PolaronError ? error.code : String(error));
          }
        }
      }),
      { numRuns: 10_000 },
    );
    seen.delete('VALUE_MISSING');
    seen.delete('CODEC_MISSING');
    expect([...seen]).toEqual(['BAD_MESSAGE']);
  });

  it('of small values takes microseconds', () => {
    const samples: readonly (readonly [string, unknown])[] = [
      ['5', 5],
      ['1.5', 1.5],
      ['text', 'hello world'],
      ['{a,b}', { accuracy: 0.97, name: 'svm' }],
      ['[10]', Array.from({ length: 10 }, (_, i) => i)],
    ];
    for (const [name, x] of samples) {
      const measure = (act: () => void): number => {
        let best = Infinity;
        for (let round = 0; round < 20; round++) {
          const start = performance.now();
          for (let i = 0; i < 1_000; i++) act();
          best = Math.min(best, performance.now() - start);
        }
        return best;
      };
      const bytes = encodeValue(x, 'x');
      const encode = measure(() => encodeValue(x, 'x'));
      const decode = measure(() => decodeValue(bytes));
      console.log(`${name}: encode ${encode.toFixed(2)} µs, decode ${decode.toFixed(2)} µs`);
      expect(encode + decode).toBeLessThan(60);
    }
  });
});
