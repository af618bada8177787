import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, digester, valueInfoOf } from '../../../bus/value/digest.ts';
import {
  encodeList,
  encodePointer,
  isPointer,
  LIST_HEAD_BYTES,
  listElement,
  listIndex,
  listLength,
  pointerOf,
} from '../../../bus/value/list.ts';
import { encodeSplit } from '../../../bus/value/split.ts';
import { decodeTemplate, encodeTemplate, followPath } from '../../../bus/value/template.ts';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import { PolaronError } from '../../../model/errors.ts';

const errorOf = (act: () => unknown): PolaronError => {
  try {
    act();
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('nothing was raised');
};

/** A Ref as the SDK has it: a function that throws at whatever is done to it. */
const refs = new WeakMap<object, { input: number; path: (string | number)[] }>();
function makeRef(input: number, path: (string | number)[] = []): unknown {
  const boom = (): never => {
    throw new Error('a Ref was touched');
  };
  const ref = new Proxy(() => 0, {
    get: boom,
    has: boom,
    ownKeys: boom,
    getPrototypeOf: boom,
    getOwnPropertyDescriptor: boom,
    apply: boom,
  });
  refs.set(ref, { input, path });
  return ref;
}
const refOf = (x: unknown) =>
  typeof x === 'function' || (typeof x === 'object' && x !== null) ? refs.get(x) : undefined;

describe('a template', () => {
  it('puts inputs where placeholders were, deep inside too, without touching the Refs', () => {
    const value = [makeRef(0), { a: [makeRef(1, ['score', 0])] }, new Map([['k', makeRef(0)]]), 'plain'];
    const bytes = encodeTemplate(value, refOf, 'args');
    const inputs = [{ x: 1 }, { score: [0.5] }];
    const back = decodeTemplate(bytes, (input, path) => followPath(inputs[input], path, `input ${input}`));
    expect(back).toStrictEqual([{ x: 1 }, { a: [0.5] }, new Map([['k', { x: 1 }]]), 'plain']);
  });

  it('asks once per placeholder, in order', () => {
    const ref = makeRef(3, ['a']);
    const asked: unknown[] = [];
    decodeTemplate(encodeTemplate([ref, ref, makeRef(1)], refOf, 'args'), (input, path) =>
      asked.push([input, [...path]]),
    );
    expect(asked).toEqual([
      [3, ['a']],
      [3, ['a']],
      [1, []],
    ]);
  });

  it('keeps shared references around its placeholders', () => {
    const shared = { ref: makeRef(0) };
    const back = decodeTemplate(encodeTemplate([shared, shared], refOf, 'args'), () => new Uint8Array([1]));
    expect(Array.isArray(back) && back[0] === back[1]).toBe(true);
  });

  it('refuses what a value refuses, and is no value itself', () => {
    const error = errorOf(() => encodeTemplate([1, { f: () => 1 }], refOf, 'arguments of "train"'));
    expect(error.message).toContain('arguments of "train" is not serialisable at $[1].f');
    const bytes = encodeTemplate([makeRef(0)], refOf, 'args');
    expect(errorOf(() => decodeValue(bytes)).code).toBe('BAD_MESSAGE');
    expect(errorOf(() => decodeTemplate(encodeValue([1], 'x'), () => 1)).code).toBe('BAD_MESSAGE');
  });
});

describe('a path', () => {
  it('reads properties, elements and lengths as ?. does', () => {
    const value = { a: [{ b: 'text' }], m: new Map([[1, 2]]), n: null };
    expect(followPath(value, [], 'r')).toBe(value);
    expect(followPath(value, ['a', 0, 'b'], 'r')).toBe('text');
    expect(followPath(value, ['a', 'length'], 'r')).toBe(1);
    expect(followPath(value, ['m', 'size'], 'r')).toBe(1);
    expect(followPath(value, ['n', 'x', 'y'], 'r')).toBeUndefined();
    expect(followPath(value, ['nope', 0], 'r')).toBeUndefined();
    expect(followPath(undefined, ['x'], 'r')).toBeUndefined();
  });
  it('into a primitive, a method or __proto__ raises REF_PATH', () => {
    for (const path of [['a', 0, 'b', 'c'], ['a', 'map'], ['constructor'], ['__proto__']]) {
      expect(errorOf(() => followPath({ a: [{ b: 'text' }] }, path, 'load()')).code).toBe('REF_PATH');
    }
    const error = errorOf(() => followPath({ a: { b: 5 } }, ['a', 'b', 'c'], 'load()'));
    expect(error.message).toBe("load(): $.a.b.c can't be read: $.a.b is a number, not an object");
  });
});

describe('a list', () => {
  const numbers = fc.array(fc.oneof(fc.integer(), fc.string(), fc.constant(undefined)), { maxLength: 50 });

  it('is cut element by element without decoding the others, and decodes to the array', () => {
    fc.assert(
      fc.property(numbers, (array) => {
        const list = encodeSplit(array, 'x');
        expect(listLength(list)).toBe(array.length);
        expect(decodeValue(list)).toStrictEqual(array);
        array.forEach((item, i) => expect(decodeValue(listElement(list, i))).toStrictEqual(item));
        expect(valueInfoOf(list)).toStrictEqual({ digest: digestOf(list), size: list.length, length: array.length });
      }),
      { numRuns: 200 },
    );
  });

  it('gives its elements from a file by two small reads', () => {
    const list = encodeSplit(['a', { b: 1 }, 'c'], 'x');
    const index = listIndex(list.subarray(0, LIST_HEAD_BYTES));
    expect(index.length).toBe(3);
    const slot = index.slot(1);
    const range = index.range(list.subarray(slot.offset, slot.offset + slot.length));
    expect(decodeValue(list.subarray(range.offset, range.offset + range.length))).toStrictEqual({ b: 1 });
  });

  it('names the element that cannot be sent', () => {
    expect(errorOf(() => encodeSplit([1, { f: () => 1 }], 'r')).details['path']).toBe('$[1].f');
    // oxlint-disable-next-line no-sparse-arrays
    expect(errorOf(() => encodeSplit([1, , 2], 'r')).details['path']).toBe('$[1]');
  });

  it('holds pointers, which are fetched when it is decoded', () => {
    const large = encodeValue('x'.repeat(100), 'x');
    const info = valueInfoOf(large);
    const list = encodeList([encodeValue(1, 'x'), encodePointer(info), encodePointer(info)]);
    expect(isPointer(listElement(list, 1))).toBe(true);
    expect(pointerOf(listElement(list, 1))).toStrictEqual(info);
    expect(decodeValue(list, (digest) => (digest === info.digest ? large : new Uint8Array()))).toStrictEqual([
      1,
      'x'.repeat(100),
      'x'.repeat(100),
    ]);
    expect(errorOf(() => decodeValue(list)).code).toBe('VALUE_MISSING');
  });

  it('that lies about its length or offsets is refused', () => {
    const list = encodeSplit([1, 2], 'x');
    for (let i = 1; i < list.length - 4; i++) {
      const changed = Uint8Array.from(list);
      changed[i] = 0xff;
      expect(errorOf(() => decodeValue(changed)).code).toBe('BAD_MESSAGE');
    }
    expect(errorOf(() => listElement(list, 2)).code).toBe('BAD_MESSAGE');
    expect(errorOf(() => listElement(list, -1)).code).toBe('BAD_MESSAGE');
  });
});

describe('a digest', () => {
  it('is the same at once and chunk by chunk', () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const state = digester();
    state.update(bytes.subarray(0, 1));
    state.update(bytes.subarray(1));
    expect(state.digest()).toBe(digestOf(bytes));
    expect(digestOf(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});
