/** An array as a list that the hub can cut, for values that are mapped over. */
import type { LossCode } from './check.ts';
import { Tag } from './format.ts';
import { encodeList } from './list.ts';
import { encodeValue, walk } from './value.ts';

/** Encodes each element for itself. Raises NOT_SERIALISABLE (or `code`) with the element's index in the path, PROMISE_ARG. */
export function encodeSplit(array: readonly unknown[], where: string, code: LossCode = 'NOT_SERIALISABLE'): Uint8Array {
  const elements: Uint8Array[] = [];
  for (let i = 0; i < array.length; i++) {
    // a sparse array is refused where a whole one would be
    if (array[i] === undefined && !(i in array)) return encodeValue(array, where, code);
    elements.push(walk(Tag.PLAIN, array[i], where, code, undefined, [i]));
  }
  return encodeList(elements);
}
