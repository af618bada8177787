/**
 * Users' values as bytes and back. What is kept is listed in value-writer.ts, the format in format.ts.
 * The same value gives the same bytes (in key order): reuse compares them. Only the SDK and runners call this; to the hub values are bytes.
 */
import { PolaronError } from '../../model/errors.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import { lossError, type LossCode, type PathPart } from './check.ts';
import { Tag } from './format.ts';
import { listElement, listLength, pointerOf } from './list.ts';
import { pathOfByte } from './place.ts';
import { settledContent } from './settled.ts';
import { Unread, unreadError, type Whose } from './unread.ts';
import { ValueReader } from './value-reader.ts';
import { ValueWriter, type RefOf } from './value-writer.ts';

/** Lists within lists that decodeValue follows. */
const DEEPEST_LIST = 32;

export type ResolvePointer = (digest: Digest, size: number) => Uint8Array;

/**
 * Encodes a value. `where` names it in errors, such as `argument 1 of electron "train"`.
 * Raises NOT_SERIALISABLE (or the `code` given) with the path of what would be lost, PROMISE_ARG for a promise.
 */
export function encodeValue(value: unknown, where: string, code: LossCode = 'NOT_SERIALISABLE'): Uint8Array {
  return quickly(value) ?? walk(Tag.PLAIN, value, where, code, undefined, []);
}

/** Small primitives without a writer: most results of small electrons. */
function quickly(value: unknown): Uint8Array | undefined {
  if (value === null) return Uint8Array.of(Tag.PLAIN, 0xc0);
  if (typeof value === 'boolean') return Uint8Array.of(Tag.PLAIN, value ? 0xc3 : 0xc2);
  if (typeof value === 'number' && value > 0 && value < 0x80 && Number.isInteger(value)) {
    return Uint8Array.of(Tag.PLAIN, value);
  }
  return undefined;
}

/** Encodes under a tag; `prefix` is the path from `where` to `value`. For this folder. */
export function walk(
  tag: number,
  value: unknown,
  where: string,
  code: LossCode,
  refOf: RefOf | undefined,
  prefix: readonly PathPart[],
): Uint8Array {
  const writer = new ValueWriter(refOf);
  try {
    writer.out.byte(tag);
    writer.write(value);
    return writer.out.finish();
  } catch (error) {
    writer.out.release();
    throw lossError(error, where, code, prefix);
  }
}

/**
 * Decodes a value; what it returns shares nothing with `bytes`. `resolvePointer` fetches the bytes that pointers in lists stand for; `whose` names the value
 * in errors. Raises CODEC_MISSING and CODEC_FAILED with the path, BAD_MESSAGE when the bytes are no value, VALUE_MISSING for a pointer without `resolvePointer`.
 */
export function decodeValue(bytes: Uint8Array, resolvePointer?: ResolvePointer, whose: Whose = 'a value'): unknown {
  try {
    return decode(bytes, resolvePointer, 0);
  } catch (error) {
    throw unreadError(error, whose);
  }
}

function decode(bytes: Uint8Array, resolvePointer: ResolvePointer | undefined, depth: number): unknown {
  const tag = bytes[0] ?? 0;
  switch (tag) {
    case Tag.PLAIN: {
      if (bytes.length === 2) {
        const byte = bytes[1] ?? 0;
        if (byte < 0x80) return byte; // quickly() wrote it
      }
      return plain(bytes);
    }
    case Tag.LIST: {
      if (depth > DEEPEST_LIST)
        throw new PolaronError('BAD_MESSAGE', `value: lists nested deeper than ${DEEPEST_LIST}`);
      return elements(bytes, resolvePointer, depth);
    }
    case Tag.SETTLED:
      return settled(bytes, resolvePointer, depth);
    case Tag.POINTER: {
      const { digest, size } = pointerOf(bytes);
      if (resolvePointer === undefined || !isDigest(digest) || depth > DEEPEST_LIST) {
        throw new PolaronError(
          'VALUE_MISSING',
          `value ${digest} of ${size} bytes is stored elsewhere and wasn't fetched`,
          {
            details: { digest, size },
          },
        );
      }
      return decode(resolvePointer(digest, size), resolvePointer, depth + 1);
    }
    default:
      throw new PolaronError('BAD_MESSAGE', `bytes that begin with ${tag} are no encoded value`);
  }
}

function elements(list: Uint8Array, resolvePointer: ResolvePointer | undefined, depth: number): unknown[] {
  const items: unknown[] = [];
  const length = listLength(list);
  try {
    while (items.length < length) items.push(decode(listElement(list, items.length), resolvePointer, depth + 1));
  } catch (error) {
    if (error instanceof Unread) error.path.unshift(items.length);
    throw error;
  }
  return items;
}

function settled(bytes: Uint8Array, resolvePointer: ResolvePointer | undefined, depth: number): unknown {
  const { key, content } = settledContent(bytes);
  if (depth > DEEPEST_LIST) throw new PolaronError('BAD_MESSAGE', `value: lists nested deeper than ${DEEPEST_LIST}`);
  try {
    const decoded = decode(content, resolvePointer, depth + 1);
    return key === 'value' ? { status: 'fulfilled', value: decoded } : { status: 'rejected', reason: decoded };
  } catch (error) {
    if (error instanceof Unread) error.path.unshift(key);
    throw error;
  }
}

function plain(bytes: Uint8Array): unknown {
  const reader = new ValueReader(bytes);
  try {
    const value = reader.value();
    reader.end();
    return value;
  } catch (error) {
    if (error instanceof Unread) error.path.push(...pathOfByte(bytes, error.at));
    throw error;
  }
}
