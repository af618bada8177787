/**
 * Lists that can be cut without decoding, and pointers to other stored values.
 *
 * list     LIST, width (4 or 8), u32 count, (count + 1) offsets of `width` bytes from the end of this header, then the encoded elements
 * pointer  POINTER, 32 bytes of SHA-256, u64 size
 *
 * Big-endian. Elements are encoded each for itself: an object that two of them share comes back twice.
 */
import { PolaronError } from '../../model/errors.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { Tag } from './format.ts';

/** So many bytes of a list's beginning are enough for `listIndex`. */
export const LIST_HEAD_BYTES = 6;
export const POINTER_BYTES = 41;
const NARROW_LIMIT = 0xffffffff;

/** Where things lie in a stored list, for cutting elements out of a file. */
export interface ListIndex {
  readonly length: number;
  /** Header with all offsets: the elements begin here. */
  readonly headerBytes: number;
  /** The part of the file to read for element `i`'s place. */
  slot(i: number): { readonly offset: number; readonly length: number };
  /** Element `i`'s part of the file, given the bytes of its slot. Raises BAD_MESSAGE. */
  range(slotBytes: Uint8Array): { readonly offset: number; readonly length: number };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const isList = (bytes: Uint8Array): boolean => bytes[0] === Tag.LIST;

/** Joins encoded elements into a list, one after the other: how many and how many bytes in all is known before. */
export class ListWriter {
  readonly #list: Uint8Array;
  readonly #view: DataView;
  readonly #width: 4 | 8;
  readonly #headerBytes: number;
  #slot = LIST_HEAD_BYTES;
  #at = 0;

  constructor(length: number, elementBytes: number) {
    this.#width = elementBytes > NARROW_LIMIT ? 8 : 4;
    this.#headerBytes = LIST_HEAD_BYTES + (length + 1) * this.#width;
    this.#list = new Uint8Array(this.#headerBytes + elementBytes);
    this.#view = viewOf(this.#list);
    this.#list[0] = Tag.LIST;
    this.#list[1] = this.#width;
    this.#view.setUint32(2, length);
    this.#offset();
  }

  /** `head` goes before it. Raises RangeError beyond what was announced. */
  add(element: Uint8Array, head?: Uint8Array): void {
    if (head !== undefined) {
      this.#list.set(head, this.#headerBytes + this.#at);
      this.#at += head.length;
    }
    this.#list.set(element, this.#headerBytes + this.#at);
    this.#at += element.length;
    this.#offset();
  }

  /** The list, once all is added. */
  end(): Uint8Array {
    if (this.#slot !== this.#headerBytes || this.#headerBytes + this.#at !== this.#list.length)
      throw new RangeError('the list has fewer elements or bytes than were announced');
    return this.#list;
  }

  /** Where the next element begins. */
  #offset(): void {
    if (this.#width === 4) this.#view.setUint32(this.#slot, this.#at);
    else this.#view.setBigUint64(this.#slot, BigInt(this.#at));
    this.#slot += this.#width;
  }
}

export function encodeList(elements: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const element of elements) total += element.length;
  const list = new ListWriter(elements.length, total);
  for (const element of elements) list.add(element);
  return list.end();
}

/** Reads a list's header from its first bytes. Raises BAD_MESSAGE when they are no list's. */
export function listIndex(head: Uint8Array): ListIndex {
  const width = head[1];
  if (head.length < LIST_HEAD_BYTES || head[0] !== Tag.LIST || (width !== 4 && width !== 8)) throw bad('no list');
  const length = viewOf(head).getUint32(2);
  const headerBytes = LIST_HEAD_BYTES + (length + 1) * width;
  return {
    length,
    headerBytes,
    slot: (i) => ({ offset: LIST_HEAD_BYTES + i * width, length: 2 * width }),
    range: (slotBytes) => {
      if (slotBytes.length !== 2 * width) throw bad('a slot of another size');
      const view = viewOf(slotBytes);
      const start = width === 4 ? view.getUint32(0) : Number(view.getBigUint64(0));
      const end = width === 4 ? view.getUint32(4) : Number(view.getBigUint64(8));
      if (end < start || !Number.isSafeInteger(end)) throw bad('an element that ends before it begins');
      return { offset: headerBytes + start, length: end - start };
    },
  };
}

/** Number of elements. Raises BAD_MESSAGE when it isn't a list, or claims more than it can hold. */
export function listLength(list: Uint8Array): number {
  const { length, headerBytes } = listIndex(list);
  if (headerBytes > list.length) throw bad(`${length} elements in ${list.length} bytes`);
  return length;
}

/** The encoded element `i`, as a view. Raises BAD_MESSAGE. */
export function listElement(list: Uint8Array, i: number): Uint8Array {
  const index = listIndex(list);
  const slot = index.slot(i);
  if (i < 0 || i >= index.length || index.headerBytes > list.length) throw bad(`element ${i} of ${index.length}`);
  const { offset, length } = index.range(list.subarray(slot.offset, slot.offset + slot.length));
  if (length === 0 || offset + length > list.length) throw bad(`element ${i} lies outside`);
  return list.subarray(offset, offset + length);
}

/** An encoded value that stands for the stored value `info`. */
export function encodePointer(info: ValueInfo): Uint8Array {
  const pointer = Buffer.allocUnsafeSlow(POINTER_BYTES);
  pointer[0] = Tag.POINTER;
  pointer.write(info.digest, 1, 'hex');
  pointer.writeBigUInt64BE(BigInt(info.size), 33);
  return new Uint8Array(pointer.buffer);
}

export const isPointer = (bytes: Uint8Array): boolean => bytes[0] === Tag.POINTER && bytes.length === POINTER_BYTES;

/** What a pointer stands for. Raises BAD_MESSAGE. */
export function pointerOf(bytes: Uint8Array): { readonly digest: Digest; readonly size: number } {
  if (!isPointer(bytes)) throw bad('no pointer');
  const digest = Buffer.from(bytes.buffer, bytes.byteOffset + 1, 32).toString('hex');
  const size = Number(viewOf(bytes).getBigUint64(33));
  if (!isDigest(digest) || !Number.isSafeInteger(size)) throw bad('no pointer');
  return { digest, size };
}

const bad = (reason: string): PolaronError =>
  new PolaronError('BAD_MESSAGE', `list: ${reason}`, { details: { reason } });
