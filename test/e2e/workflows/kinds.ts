/** Values of all kinds, made on an agent, looked at on an agent, and given back. */
import { createHash } from 'node:crypto';
import { electron, lattice } from 'polaron';

/** Everything that a value may be, nested. Made anew each time, so that nothing is shared. */
export function everyKind() {
  const cause = new RangeError('the cause');
  const error = Object.assign(new TypeError('wrong', { cause }), { code: 'E_WRONG', detail: { tries: 3 } });
  return {
    map: new Map<unknown, unknown>([
      ['a', 1],
      [{ key: true }, new Set([1n, 'two'])],
    ]),
    set: new Set([new Date(0), 'x']),
    date: new Date('2026-03-01T09:05:07.123Z'),
    big: 2n ** 80n,
    negativeBig: -5n,
    bytes: Uint8Array.from([0, 1, 255]),
    floats: Float64Array.from([1.5, -0, Number.NaN]),
    bigs: BigInt64Array.from([-1n, 2n]),
    nothing: undefined,
    nil: null,
    minusZero: -0,
    infinities: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
    error,
    several: new AggregateError([new Error('one'), new Error('two')], 'both'),
    expression: /a+/giu,
    url: new URL('https://example.org/x?y=1#z'),
    buffer: Uint8Array.from([9, 8]).buffer,
    text: 'ä\u{1F600}\n',
    nested: [[[{ deep: [undefined, -0, { deeper: new Map([[1n, new Date(1)]]) }] }]]],
    'odd key': true,
  };
}

/** What a look on an agent says of it; a lost kind shows as another text. */
export function describeKinds(x: ReturnType<typeof everyKind>): string[] {
  const [, entry] = [...x.map.entries()];
  return [
    `map ${x.map instanceof Map} ${String(x.map.get('a'))} ${entry?.[1] instanceof Set && entry[1].has(1n)}`,
    `set ${x.set instanceof Set} ${[...x.set][0] instanceof Date}`,
    `date ${x.date.toISOString()}`,
    `big ${x.big} ${typeof x.big} ${x.negativeBig}`,
    `bytes ${x.bytes.constructor.name} ${[...x.bytes].join()}`,
    `floats ${x.floats.constructor.name} ${Object.is(x.floats[1], -0)} ${x.floats[2]}`,
    `bigs ${x.bigs.constructor.name} ${x.bigs[0]}`,
    `undefined ${'nothing' in x} ${String(x.nothing)} ${String(x.nil)}`,
    `minus zero ${Object.is(x.minusZero, -0)} ${x.infinities.join()}`,
    `error ${x.error.name} ${x.error.message} ${x.error.code} ${x.error.detail.tries} ${x.error instanceof TypeError}`,
    `cause ${x.error.cause instanceof RangeError}`,
    `several ${x.several.errors.length} ${String(x.several.errors[1])}`,
    `expression ${String(x.expression)} url ${x.url instanceof URL} ${x.url.hash}`,
    `buffer ${x.buffer instanceof ArrayBuffer} ${x.buffer.byteLength}`,
    `text ${[...x.text].length} odd ${x['odd key']}`,
  ];
}

export const makeKinds = electron(function makeKinds() {
  return everyKind();
});
export const lookAtKinds = electron(function lookAtKinds(x: ReturnType<typeof everyKind>) {
  return { said: describeKinds(x), same: x };
});

/** From electron to electron, as an argument, and as the result. */
export const kindsEverywhere = lattice(function kindsEverywhere(given: ReturnType<typeof everyKind>) {
  const made = makeKinds();
  return { made, ofMade: lookAtKinds(made).said, ofGiven: lookAtKinds(given), literal: given };
});

export const pickParts = electron(function pickParts(score: number, name: string | undefined, second: unknown): string {
  return `${score} ${name ?? 'none'} ${String(second)}`;
});
export const nestedScores = electron(function nestedScores() {
  return { best: { score: 0.5, names: ['x', 'y'] }, rows: [{ id: 1 }, { id: 2 }] };
});
export const paths = lattice(function paths() {
  const found = nestedScores();
  return { said: pickParts(found.best.score, found.best.names[1], found.rows[1]?.id), id: found.rows[0]?.id };
});

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const digestOf = sha;

/** Bytes that don't compress and differ by seed. */
export function noise(size: number, seed: number): Uint8Array {
  const out = new Uint8Array(size);
  let state = seed | 1;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    out[at] = state >>> 24;
  }
  return out;
}
export const makeNoise = electron(function makeNoise(size: number, seed: number) {
  return noise(size, seed);
});
export const digest = electron(function digest(bytes: Uint8Array): { size: number; sha: string } {
  return { size: bytes.byteLength, sha: sha(bytes) };
});
export const join = electron(function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.concat([a, b]);
});
/** An argument, an electron's value for another, and a result, all large. */
export const large = lattice(function large(given: Uint8Array, size: number) {
  const made = makeNoise(size, 7);
  return { given: digest(given), made: digest(made), joined: join(given, made), echo: made };
});
