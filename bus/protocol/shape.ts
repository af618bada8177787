/**
 * Readers that turn an unknown, decoded value into a checked one. A misfit raises BAD_MESSAGE with the path to it.
 * Field readers take the object and the key; the path is only put together when something doesn't fit, so that a good message pays nothing for it.
 */
import { PolaronError } from '../../model/errors.ts';
import { isDigest, type Digest, type TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';

export type Fields = Readonly<Record<string, unknown>>;
/** Checks one value. Raises Misfit; `parse` makes a BAD_MESSAGE of it. */
export type Reader<T> = (x: unknown) => T;

/** Names longer than this are refused: names of electrons, lattices, capabilities, keys. */
export const NAME_LENGTH = 200;
/** Texts: messages, stacks, sources, logs. A bus message bounds them further. */
export const TEXT_LENGTH = 16 * 1024 * 1024;

/** A value that doesn't fit, with the path so far, innermost first. Leaves this module only as BAD_MESSAGE. */
class Misfit extends Error {
  readonly path: (string | number)[] = [];
  readonly expected: string;
  readonly got: unknown;
  constructor(expected: string, got: unknown, key?: string) {
    super(expected);
    this.expected = expected;
    this.got = got;
    if (key !== undefined) this.path.push(key);
  }
}

/** For readers of one's own: the error that says what was expected instead of `got`. */
export const misfit = (expected: string, got: unknown, key?: string): Error => new Misfit(expected, got, key);

/** Runs a reader over a whole message called `what`. Raises BAD_MESSAGE naming the path, what was expected and what came. */
export function parse<T>(what: string, reader: Reader<T>, x: unknown): T {
  try {
    return reader(x);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    const path = error.path
      .toReversed()
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
      .join('');
    throw new PolaronError('BAD_MESSAGE', `${what}${path}: expected ${error.expected}, got ${describe(error.got)}`, {
      details: { message: what, path: `$${path}`, expected: error.expected },
    });
  }
}

/** A parse function for `what`: `(x: unknown) => T`, raising BAD_MESSAGE. */
export const parser =
  <T>(what: string, reader: Reader<T>): Reader<T> =>
  (x) =>
    parse(what, reader, x);

function describe(x: unknown): string {
  if (x === undefined) return 'nothing';
  if (x === null || typeof x === 'boolean' || typeof x === 'number') return String(x);
  if (typeof x === 'string') return x.length > 60 ? `text of ${x.length} characters` : JSON.stringify(x);
  if (x instanceof Uint8Array) return `${x.length} bytes`;
  return Array.isArray(x) ? `an array of ${x.length}` : `a ${typeof x}`;
}

const isFields = (x: unknown): x is Fields =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Uint8Array);

/** An object, read by `read`. */
export const object =
  <T>(read: (o: Fields) => T): Reader<T> =>
  (x) => {
    if (!isFields(x)) throw new Misfit('an object', x);
    return read(x);
  };

export function text(o: Fields, key: string, maxLength = NAME_LENGTH): string {
  const x = o[key];
  if (typeof x !== 'string' || x.length > maxLength) throw new Misfit(`text of at most ${maxLength}`, x, key);
  return x;
}

/** A whole number from `min` (0) to 2^53 - 1. */
export function int(o: Fields, key: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  const x = o[key];
  if (typeof x !== 'number' || !Number.isSafeInteger(x) || x < min || x > max) {
    throw new Misfit(
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
      x,
      key,
    );
  }
  return x;
}

/** A finite number. */
export function number(o: Fields, key: string, min = -Number.MAX_VALUE, max = Number.MAX_VALUE): number {
  const x = o[key];
  if (typeof x !== 'number' || !(x >= min && x <= max)) throw new Misfit('a finite number', x, key);
  return x;
}

export function bool(o: Fields, key: string): boolean {
  const x = o[key];
  if (typeof x !== 'boolean') throw new Misfit('true or false', x, key);
  return x;
}

export function bytes(o: Fields, key: string): Uint8Array {
  const x = o[key];
  if (!(x instanceof Uint8Array)) throw new Misfit('bytes', x, key);
  return x;
}

export function digest(o: Fields, key: string): Digest {
  const x = o[key];
  if (!isDigest(x)) throw new Misfit('a SHA-256 in hex', x, key);
  return x;
}

const TASK = /^[0-9a-z]{20}-[a-z0-9_-]{1,24}_\d{1,10}$/;
const isTaskId = (x: unknown): x is TaskId => typeof x === 'string' && TASK.test(x);

/** A task id on its own. */
export const taskId: Reader<TaskId> = (x) => {
  if (!isTaskId(x)) throw new Misfit('a task id', x);
  return x;
};

export function task(o: Fields, key: string): TaskId {
  const x = o[key];
  if (!isTaskId(x)) throw new Misfit('a task id', x, key);
  return x;
}

/** The tokens of one message are mostly equal: one array serves all of them, also where they are kept. */
let lastToken: Token = [0, 0];

/** A fencing token: [hub epoch, attempt]. */
export function token(o: Fields, key: string): Token {
  const x = o[key];
  if (Array.isArray(x) && x.length === 2) {
    const hub: unknown = x[0];
    const attempt: unknown = x[1];
    if (
      Number.isSafeInteger(hub) &&
      Number.isSafeInteger(attempt) &&
      typeof hub === 'number' &&
      typeof attempt === 'number'
    ) {
      if (hub === lastToken[0] && attempt === lastToken[1]) return lastToken;
      if (hub >= 0 && attempt >= 0) return (lastToken = [hub, attempt]);
    }
  }
  throw new Misfit('a token [hub epoch, attempt]', x, key);
}

/** One of a closed set of words. */
export function oneOf<T extends string>(o: Fields, key: string, words: readonly T[]): T {
  const x = o[key];
  for (const word of words) if (word === x) return word;
  throw new Misfit(`one of ${words.join(', ')}`, x, key);
}

/** A nested value. */
export function field<T>(o: Fields, key: string, reader: Reader<T>): T {
  try {
    return reader(o[key]);
  } catch (error) {
    if (error instanceof Misfit) error.path.push(key);
    throw error;
  }
}

/** An array of at most `max` items. */
export function array<T>(o: Fields, key: string, max: number, item: Reader<T>): T[] {
  const x = o[key];
  if (!Array.isArray(x) || x.length > max) throw new Misfit(`an array of at most ${max}`, x, key);
  const items: T[] = [];
  let i = 0;
  try {
    for (; i < x.length; i++) items.push(item(x[i]));
  } catch (error) {
    if (error instanceof Misfit) error.path.push(i, key);
    throw error;
  }
  return items;
}

/** An object with any keys (at most `max`), each value read by `item`. */
export function record<T>(o: Fields, key: string, max: number, item: Reader<T>): Record<string, T> {
  const x = o[key];
  if (!isFields(x)) throw new Misfit('an object', x, key);
  const names = Object.keys(x);
  if (names.length > max) throw new Misfit(`an object of at most ${max} keys`, x, key);
  const read: Record<string, T> = {};
  for (const name of names) {
    const value = x[name];
    try {
      if (name.length > NAME_LENGTH || name === '__proto__') throw new Misfit('a shorter name', value);
      read[name] = item(value);
    } catch (error) {
      if (error instanceof Misfit) error.path.push(name, key);
      throw error;
    }
  }
  return read;
}

/** `{ [key]: value }` when the key is there, `{}` when it is missing or undefined: to be spread. */
export function optional<K extends string, T>(
  o: Fields,
  key: K,
  read: (o: Fields, key: K) => T,
): { readonly [P in K]?: T } {
  const none: { readonly [P in K]?: T } = {};
  return o[key] === undefined || o[key] === null ? none : { ...none, [key]: read(o, key) };
}

export const aText =
  (maxLength = NAME_LENGTH): Reader<string> =>
  (x) => {
    if (typeof x !== 'string' || x.length > maxLength) throw new Misfit(`text of at most ${maxLength}`, x);
    return x;
  };

export const anInt =
  (min = 0): Reader<number> =>
  (x) => {
    if (typeof x !== 'number' || !Number.isSafeInteger(x) || x < min) throw new Misfit(`a whole number from ${min}`, x);
    return x;
  };

export const aDigest: Reader<Digest> = (x) => {
  if (!isDigest(x)) throw new Misfit('a SHA-256 in hex', x);
  return x;
};

/** Anything at all: it came from the wire reader, so it is plain data. */
export const anything: Reader<unknown> = (x) => x;
