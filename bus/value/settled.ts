/**
 * How one item of a map with `onItemError: 'collect'` ended, put around the item's encoded value, which isn't decoded for that.
 *
 * settled  SETTLED, 0 (fulfilled) or 1 (rejected), then the encoded value, or the encoded reason
 *
 * Decoded it is `{ status: 'fulfilled', value }` or `{ status: 'rejected', reason }`, as `Promise.allSettled` gives it.
 * Not here: what a reason holds (model/reason.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import { Tag } from './format.ts';
import { isList, isPointer, listElement, listLength } from './list.ts';

/** What goes before the value. */
export const FULFILLED: Uint8Array = Uint8Array.of(Tag.SETTLED, 0);
/** What goes before the reason. */
export const REJECTED: Uint8Array = Uint8Array.of(Tag.SETTLED, 1);
const HEAD_BYTES = 2;

export const isSettled = (bytes: Uint8Array): boolean => bytes[0] === Tag.SETTLED;

/** The encoded value or reason, as a view. Raises BAD_MESSAGE. */
export function settledContent(bytes: Uint8Array): {
  readonly key: 'value' | 'reason';
  readonly content: Uint8Array;
} {
  const kind = bytes[1] ?? -1;
  if (!isSettled(bytes) || bytes.length <= HEAD_BYTES || kind < 0 || kind > 1)
    throw new PolaronError('BAD_MESSAGE', 'value: an item that ended in no way that is known');
  return { key: kind === 0 ? 'value' : 'reason', content: bytes.subarray(HEAD_BYTES) };
}

/** The same end with other content. */
export function withContent(bytes: Uint8Array, content: Uint8Array): Uint8Array {
  const made = new Uint8Array(HEAD_BYTES + content.length);
  made.set(bytes.subarray(0, HEAD_BYTES));
  made.set(content, HEAD_BYTES);
  return made;
}

/** The encoded values that this one is put together of: a list's elements, the content of an item's end; none of any other. Raises BAD_MESSAGE. */
export function partsOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (isSettled(bytes)) return [settledContent(bytes).content];
  return isList(bytes) ? Array.from({ length: listLength(bytes) }, (_, i) => listElement(bytes, i)) : [];
}

/** Pointers may be in it. */
export const mayPoint = (bytes: Uint8Array): boolean => isPointer(bytes) || isList(bytes) || isSettled(bytes);
