import * as fc from 'fast-check';
import { unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decodeBody, decodeEnvelope, encodeBody, encodeEnvelope } from '../../bus/codec.ts';
import { PolaronError } from '../../model/errors.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof PolaronError ? error.code : `not ours: ${String(error)}`;
  }
  return 'nothing was raised';
};

const plain = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeNat(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((x) => x + 0),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('any'), { maxLength: 20 }),
    fc.dictionary(fc.string(), tie('any'), { noNullPrototype: true }).filter((o) => !Object.hasOwn(o, '__proto__')),
  ),
})).any;

const zero = (x: unknown): unknown => {
  if (x === 0) return 0;
  if (x instanceof Uint8Array) return x;
  if (Array.isArray(x)) return x.map(zero);
  if (typeof x === 'object' && x !== null) return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, zero(v)]));
  return x;
};

describe('the message codec', () => {
  it('brings every plain body back as it was', () => {
    fc.assert(
      fc.property(plain, (x) => {
        expect(decodeBody(encodeBody(x))).toStrictEqual(zero(x));
      }),
      { numRuns: 500 },
    );
  });

  it('writes what any MessagePack library reads', () => {
    const body = {
      nothing: null,
      flags: [true, false],
      numbers: [
        0,
        127,
        128,
        255,
        256,
        65_535,
        65_536,
        2 ** 32 - 1,
        2 ** 32,
        -1,
        -32,
        -33,
        -128,
        -129,
        1.5,
        2 ** 53 - 1,
      ],
      texts: ['', 'x'.repeat(31), 'x'.repeat(32), 'ä'.repeat(40), '…'.repeat(100), 'x'.repeat(70_000)],
      bytes: [Buffer.alloc(3), Buffer.alloc(300), Buffer.alloc(70_000)],
      many: Array.from({ length: 20 }, (_, i) => i),
      wide: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key ${i}`, i])),
      bare: Object.assign(Object.create(null), { a: 1 }),
    };
    expect(unpack(encodeBody(body))).toEqual(body);
  });

  it('replaces half a surrogate pair, and keeps what follows', () => {
    expect(decodeBody(encodeBody({ a: 'x\ud800y', b: 1 }))).toStrictEqual({ a: 'x\ufffdy', b: 1 });
  });

  it('refuses what would arrive empty, and goes on with the next message', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const x of [new Map(), new Set(), new Date(), new Float64Array(1), new ArrayBuffer(1), 2n ** 70n, cycle]) {
      expect(codeOf(() => encodeBody({ a: 'before', x }))).toBe('BAD_MESSAGE');
      expect(codeOf(() => encodeEnvelope('u', { a: 'before', x }))).toBe('BAD_MESSAGE');
    }
    expect(decodeBody(encodeBody({ a: 1 }))).toStrictEqual({ a: 1 });
  });

  it('gives bytes back as views of the message, not as Buffers', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const encoded = encodeBody({ bytes });
    const decoded = decodeBody(encoded);
    expect(decoded).toStrictEqual({ bytes });
    const view = typeof decoded === 'object' && decoded !== null && 'bytes' in decoded ? decoded.bytes : undefined;
    expect(view instanceof Uint8Array && view.buffer === encoded.buffer).toBe(true);
  });

  it('keeps undefined fields and 64-bit integers of other clients as numbers', () => {
    expect(decodeBody(encodeBody({ a: undefined, b: 1n, c: -5n }))).toStrictEqual({ a: undefined, b: 1, c: -5 });
    expect(codeOf(() => decodeBody(encodeBody(2n ** 60n)))).toBe('BAD_MESSAGE');
  });

  it('carries the body in an envelope without encoding it again', () => {
    const body = { hello: ['wörld', new Uint8Array(70_000)] };
    const envelope = decodeEnvelope(encodeEnvelope('lab.gpu-box', body));
    expect(envelope).toMatchObject({ v: 1, by: 'lab.gpu-box' });
    expect(Object.keys(envelope)).toEqual(['v', 'by', 'body']);
    expect(Buffer.compare(envelope.body, encodeBody(body))).toBe(0);
    expect(decodeBody(envelope.body)).toStrictEqual(body);
    expect(decodeEnvelope(encodeEnvelope('u', null, 'key-1')).key).toBe('key-1');
  });

  it('reads the second message of a sender as it read the first, and refuses the same', () => {
    const by = 'lab.known';
    const body = { a: [1, 'text', new Uint8Array(300)] };
    const whole = encodeEnvelope(by, body);
    const first = decodeEnvelope(whole);
    expect(decodeEnvelope(whole)).toStrictEqual(first);
    expect(decodeEnvelope(encodeEnvelope(by, 5)).body).toStrictEqual(new Uint8Array([5]));
    expect(decodeEnvelope(encodeEnvelope('lab.knowm', 5)).by).toBe('lab.knowm');
    expect(decodeEnvelope(encodeEnvelope(by, 5, 'key')).key).toBe('key');
    for (let end = 0; end < whole.length; end++) {
      expect(codeOf(() => decodeEnvelope(whole.subarray(0, end)))).toBe('BAD_MESSAGE');
    }
    expect(codeOf(() => decodeEnvelope(Buffer.concat([whole, Buffer.of(1)])))).toBe('BAD_MESSAGE');
    const other = Buffer.from(whole);
    other[3] = 2;
    expect(codeOf(() => decodeEnvelope(other))).toBe('WRONG_VERSION');
    const moved = Buffer.concat([Buffer.alloc(3), whole]).subarray(3);
    expect(decodeBody(decodeEnvelope(moved).body)).toStrictEqual(body);
  });

  it('keeps a signature of somebody else', () => {
    const signed = encodeBody({ v: 1, by: 'u', body: encodeBody(1), sig: new Uint8Array([9]), key: 'k', later: true });
    expect(decodeEnvelope(signed)).toStrictEqual({
      v: 1,
      by: 'u',
      body: new Uint8Array([1]),
      sig: new Uint8Array([9]),
      key: 'k',
    });
  });

  it('tells another version, a large message and garbage apart', () => {
    expect(codeOf(() => decodeEnvelope(encodeBody({ v: 2, by: 'u', body: new Uint8Array() })))).toBe('WRONG_VERSION');
    expect(codeOf(() => decodeEnvelope(encodeEnvelope('u', 'x'.repeat(100)), 50))).toBe('PAYLOAD_TOO_LARGE');
    for (const data of [[], [0xc1], [0x80], [0x01], [0x93, 1, 2], [0x81, 0xa1, 0x76, 1]]) {
      expect(codeOf(() => decodeEnvelope(Uint8Array.from(data)))).toBe('BAD_MESSAGE');
    }
    expect(codeOf(() => decodeEnvelope(encodeBody({ v: 1, by: 7, body: new Uint8Array() })))).toBe('BAD_MESSAGE');
    expect(codeOf(() => decodeEnvelope(encodeBody({ v: 1, by: 'u', body: 'text' })))).toBe('BAD_MESSAGE');
  });

  it('refuses counts that the bytes cannot hold, deep nesting, extensions, __proto__ and left-over bytes', () => {
    const cases = [
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0xdf, 0xff, 0xff, 0xff, 0xff, 1],
      [0xc6, 0xff, 0xff, 0xff, 0xff],
      [0xdb, 0xff, 0xff, 0xff, 0xff, 65],
      Array.from({ length: 100_000 }, () => 0x91),
      [0xc7, 1, 0x72, 0],
      [0xd4, 0x72, 0x40],
      [0x81, 0xa9, ...Buffer.from('__proto__'), 0x80],
      [0x81, 0xda, 0, 9, ...Buffer.from('__proto__'), 0x80],
      [0x81, 1, 1],
      [1, 1],
    ];
    for (const data of cases) expect(codeOf(() => decodeBody(Uint8Array.from(data)))).toBe('BAD_MESSAGE');
  });

  it('never does anything but decode or raise BAD_MESSAGE on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        expect(['BAD_MESSAGE', 'nothing was raised']).toContain(codeOf(() => decodeBody(data)));
      }),
      { numRuns: 20_000 },
    );
  });

  it('refuses an honest message cut short anywhere', () => {
    const whole = encodeEnvelope('lab.box', { a: [1, 2.5, 'text', new Uint8Array(40)], b: { c: null } });
    for (let end = 0; end < whole.length; end++) {
      expect(codeOf(() => decodeEnvelope(whole.subarray(0, end)))).toBe('BAD_MESSAGE');
    }
  });
});
