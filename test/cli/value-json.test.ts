import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { valueToJson } from '../../cli/value-json.ts';
import type { Json } from '../../cli/value-json.ts';
import { readValueJson } from './read-value-json.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Through real JSON text, as a reader of stdout gets it. */
function roundTrip(value: unknown): unknown {
  const parsed: Json = JSON.parse(JSON.stringify(valueToJson(value)));
  return readValueJson(parsed);
}

const key = fc
  .oneof(fc.constantFrom('$type', 'a', '', '0', 'a/b', '~', 'value'), fc.string())
  .filter((k) => k !== '__proto__');
const leaf = fc.oneof(
  fc.double(),
  fc.constantFrom(-0, Number.NaN, Infinity, -Infinity, null, undefined, true, false),
  fc.bigInt(),
  fc.string(),
  fc.date(),
  fc.uint8Array(),
  fc.float64Array(),
  fc.float32Array(),
  fc.int16Array(),
  fc.bigInt64Array(),
  fc.uint8ClampedArray(),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes).buffer),
  fc.uint8Array().map((bytes) => new DataView(new Uint8Array(bytes).buffer)),
  fc.constantFrom('https://a.example/b?c#d', 'file:///x').map((href) => new URL(href)),
  fc.constantFrom(/a\/b/gi, /^$/u),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value')),
    fc.dictionary(key, tie('value'), { noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((pairs) => new Map(pairs)),
    fc.array(tie('value')).map((items) => new Set(items)),
    fc
      .record({ message: fc.string(), cause: tie('value'), code: tie('value') })
      .map(({ message, cause, code }) => Object.assign(new TypeError(message, { cause }), { code })),
  ),
}));

describe('valueToJson', () => {
  it('keeps every value through JSON text and back', () => {
    fc.assert(
      fc.property(value, (given) => {
        const back = roundTrip(given);
        // URLs compare by their text, errors of a class by theirs.
        return isDeepStrictEqual(normal(back), normal(given));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves plain JSON as it is', () => {
    fc.assert(
      fc.property(
        fc.json({ noUnicodeString: false }).map((text): unknown => JSON.parse(text)),
        (given) => {
          fc.pre(!JSON.stringify(given).includes('-0') && !JSON.stringify(given).includes('$type'));
          fc.pre(!containsNegativeZero(given) && !JSON.stringify(given).includes('__proto__'));
          expect(valueToJson(given)).toEqual(given);
        },
      ),
    );
  });

  it('escapes an object that has a $type of its own', () => {
    expect(valueToJson({ $type: 'Map', entries: [] })).toEqual({
      $type: 'object',
      entries: [
        ['$type', 'Map'],
        ['entries', []],
      ],
    });
  });

  it('names where a cycle leads, and writes what is merely shared twice', () => {
    const shared = { x: 1 };
    const given: Record<string, unknown> = { 'a/b': [shared, shared], m: new Map() };
    given['self'] = given;
    const list = given['a/b'];
    if (Array.isArray(list)) list.push(list);
    if (given['m'] instanceof Map) given['m'].set('up', given['m']);
    expect(valueToJson(given)).toEqual({
      'a/b': [{ x: 1 }, { x: 1 }, { $type: 'cycle', path: '/a~1b' }],
      m: { $type: 'Map', entries: [['up', { $type: 'cycle', path: '/m' }]] },
      self: { $type: 'cycle', path: '' },
    });
    expect(isDeepStrictEqual(roundTrip(given), given)).toBe(true);
  });

  it('keeps the errors of an AggregateError', () => {
    const given = new AggregateError([new Error('a'), 'b'], 'two');
    const back = roundTrip(given);
    expect(back).toMatchObject({ name: 'AggregateError', message: 'two', errors: [{ message: 'a' }, 'b'] });
  });

  it('refuses a function with its place', () => {
    expect(() => valueToJson({ a: [() => 1] })).toThrow('a function at /a/0 has no JSON');
  });
});

const containsNegativeZero = (x: unknown): boolean =>
  Object.is(x, -0) || (typeof x === 'object' && x !== null && Object.values(x).some(containsNegativeZero));

/** What isDeepStrictEqual can't compare, as data: URLs, and errors of another class of one name. */
function normal(x: unknown): unknown {
  if (x instanceof URL) return ['URL', x.href];
  if (x instanceof Error)
    return ['Error', x.name, x.message, x.stack, normal(x.cause), 'cause' in x, normal(Reflect.get(x, 'code'))];
  if (Array.isArray(x)) return x.map(normal);
  if (x instanceof Map) return ['Map', [...x].map(([k, v]) => [normal(k), normal(v)])];
  if (x instanceof Set) return ['Set', [...x].map(normal)];
  if (x instanceof RegExp) return ['RegExp', x.source, x.flags, x.lastIndex];
  if (x instanceof DataView) return ['DataView', new Uint8Array(x.buffer)];
  if (x instanceof Date) return ['Date', x.getTime()]; // invalid ones equal no other date on Node 20
  if (ArrayBuffer.isView(x) || x instanceof ArrayBuffer) return x;
  if (typeof x === 'object' && x !== null) return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, normal(v)]));
  return x;
}
