/** An array as a list that the hub can cut, for values that are mapped over. */
import type { LossCode } from './check.ts';
import { Tag } from './format.ts';
import { encodeList } from './list.ts';
import { encodeValue, walk } from './value.ts';

/** Several copies of the SDK may be loaded: a bundle's and the runner's. */
const ENCODED = Symbol.for('polaron.encoded.v1');

/** An array whose elements `encodeSplit` takes as they are: each is an encoded value. */
export const encodedAlready = (elements: readonly Uint8Array[]): readonly Uint8Array[] =>
  Object.defineProperty([...elements], ENCODED, { value: true });

const isEncoded = (array: readonly unknown[]): array is readonly Uint8Array[] => ENCODED in array;

/** Encodes each element for itself. Raises NOT_SERIALISABLE (or `code`) with the element's index in the path, PROMISE_ARG. */
export function encodeSplit(array: readonly unknown[], where: string, code: LossCode = 'NOT_SERIALISABLE'): Uint8Array {
  if (isEncoded(array)) return encodeList(array);
  const elements: Uint8Array[] = [];
  for (let i = 0; i < array.length; i++) {
    // a sparse array is refused where a whole one would be
    if (array[i] === undefined && !(i in array)) return encodeValue(array, where, code);
    elements.push(walk(Tag.PLAIN, array[i], where, code, undefined, [i]));
  }
  return encodeList(elements);
}
