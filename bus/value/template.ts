/**
 * A value with holes: arguments of an electron, or a lattice's output, in which placeholders stand for inputs and paths into them.
 * Not here: how an input is fetched, and what a Ref is (sdk).
 */
import { PolaronError } from '../../model/errors.ts';
import { showPath, type LossCode, type PathPart } from './check.ts';
import { Tag } from './format.ts';
import { pathOfByte } from './place.ts';
import { Unread, unreadError, type Whose } from './unread.ts';
import { ValueReader } from './value-reader.ts';
import type { RefOf } from './value-writer.ts';
import { walk } from './value.ts';

/**
 * Encodes a value whose placeholders `refOf` recognises; it is asked about every object and function before anything else touches it.
 * Raises NOT_SERIALISABLE (or `code`), PROMISE_ARG.
 */
export function encodeTemplate(
  value: unknown,
  refOf: RefOf,
  where: string,
  code: LossCode = 'NOT_SERIALISABLE',
): Uint8Array {
  return walk(Tag.TEMPLATE, value, where, code, refOf, []);
}

/**
 * Decodes a template, asking `resolve` once per placeholder; `whose` names it in errors.
 * Raises CODEC_MISSING, CODEC_FAILED, BAD_MESSAGE, and what `resolve` raises.
 */
export function decodeTemplate(
  bytes: Uint8Array,
  resolve: (input: number, path: readonly PathPart[]) => unknown,
  whose: Whose = 'a template',
): unknown {
  if (bytes[0] !== Tag.TEMPLATE) throw new PolaronError('BAD_MESSAGE', 'the bytes are no template');
  const reader = new ValueReader(bytes, ({ input, path }) => resolve(input, path));
  try {
    const value = reader.value();
    reader.end();
    return value;
  } catch (error) {
    if (error instanceof Unread) error.path.push(...pathOfByte(bytes, error.at));
    throw unreadError(error, whose);
  }
}

/**
 * The value at the end of a path, as `value?.a?.[0]` gives it: undefined behind null or undefined.
 * Raises REF_PATH where the path goes into a primitive, or reaches a method. `where` names the reference.
 */
export function followPath(value: unknown, path: readonly PathPart[], where: string): unknown {
  let at = value;
  for (let i = 0; i < path.length; i++) {
    const part = path[i];
    if (at === null || at === undefined || part === undefined) return undefined;
    if (typeof at !== 'object') {
      const what = typeof at;
      throw refPath(where, path, i + 1, `${showPath(path.slice(0, i))} is a ${what}, not an object`);
    }
    if (part === '__proto__') throw refPath(where, path, i + 1, '__proto__ is no property');
    const next: unknown = Reflect.get(at, part);
    if (typeof next === 'function') throw refPath(where, path, i + 1, 'it is a method: call it inside an electron');
    at = next;
  }
  return at;
}

function refPath(where: string, path: readonly PathPart[], upTo: number, reason: string): PolaronError {
  const shown = showPath(path.slice(0, upTo));
  return new PolaronError('REF_PATH', `${where}: ${shown} can't be read: ${reason}`, { details: { path: shown } });
}
