/**
 * A value that is nothing but bytes, or numbers in a row: a typed array, a Buffer, an ArrayBuffer or a DataView. Its encoding is a short head and the bytes as
 * they are, so that a large one needn't be copied to be encoded, written, read or decoded. Not here: everything else (value.ts), whose result is the same.
 */
import * as types from 'node:util/types';
import { registry } from '../protocol/registry.ts';
import { Ext, Tag, typedArrayNames, typedArrays } from './format.ts';

const BINARY = 0xc6;
const EXTENSION = 0xc9;
/** Of the longest head: tag, extension, length, type, kind. */
export const BARE_HEAD = 8;
/** Shorter ones have a shorter head, and are cheap to copy. */
const SHORTEST = 0x10000;

export interface Bare {
  /** What goes before the bytes. */
  readonly head: Uint8Array;
  /** The value's own memory. */
  readonly body: Uint8Array;
}

/** Head and bytes; undefined when `value` is anything else, is small, or others may still change it. */
export function bareOf(value: unknown): Bare | undefined {
  const body = bodyOf(value);
  if (body === undefined || body.length < SHORTEST || hasCodec(value)) return undefined;
  if (isOwn(value, Uint8Array)) return { head: headOf(BINARY, body.length), body };
  if (Buffer.isBuffer(value)) return { head: headOf(EXTENSION, body.length, Ext.BUFFER), body };
  if (value instanceof ArrayBuffer) return { head: headOf(EXTENSION, body.length, Ext.ARRAY_BUFFER), body };
  if (isOwn(value, DataView)) return { head: headOf(EXTENSION, body.length, Ext.DATA_VIEW), body };
  for (const [kind, name] of typedArrayNames.entries())
    if (isOwn(value, Reflect.get(typedArrays, name)))
      return { head: headOf(EXTENSION, body.length + 1, Ext.TYPED_ARRAY, kind), body };
  return undefined;
}

function hasCodec(value: unknown): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  for (const { ctor } of registry().codecs.values()) if (ctor.prototype === proto) return true;
  return false;
}

function bodyOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value) || types.isSharedArrayBuffer(value.buffer)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Of exactly this class, of this realm. */
const isOwn = (value: unknown, Class: unknown): boolean =>
  typeof Class === 'function' && Object.getPrototypeOf(value) === Class.prototype;

function headOf(tag: number, length: number, ...more: number[]): Uint8Array {
  const head = new Uint8Array(6 + more.length);
  head[0] = Tag.PLAIN;
  head[1] = tag;
  new DataView(head.buffer).setUint32(2, length);
  head.set(more, 6);
  return head;
}

/** Where the bytes of a bare value begin, and what a buffer that holds them is made to. */
export interface BareReading {
  readonly from: number;
  readonly make: (buffer: ArrayBuffer) => unknown;
}

/** Of encoded bytes that begin so and are `size` long; undefined when they are not a bare value. */
export function bareReading(head: Uint8Array, size: number): BareReading | undefined {
  if (head.length < BARE_HEAD || head[0] !== Tag.PLAIN || size < SHORTEST) return undefined;
  const length = new DataView(head.buffer, head.byteOffset).getUint32(2);
  if (head[1] === BINARY)
    return length === size - 6 ? { from: 6, make: (buffer) => new Uint8Array(buffer) } : undefined;
  if (head[1] !== EXTENSION || length !== size - 7) return undefined;
  switch (head[6] ?? -1) {
    case Ext.BUFFER:
      return { from: 7, make: (buffer) => Buffer.from(buffer) };
    case Ext.ARRAY_BUFFER:
      return { from: 7, make: (buffer) => buffer };
    case Ext.DATA_VIEW:
      return { from: 7, make: (buffer) => new DataView(buffer) };
    case Ext.TYPED_ARRAY:
      return typedReading(typedArrayNames[head[7] ?? -1], size - 8);
    default:
      return undefined;
  }
}

function typedReading(kind: string | undefined, bytes: number): BareReading | undefined {
  for (const [name, Class] of Object.entries(typedArrays))
    if (name === kind && bytes % Class.BYTES_PER_ELEMENT === 0) return { from: 8, make: (buffer) => new Class(buffer) };
  return undefined;
}

/** The bytes that a value is, if it is nothing but bytes: a view. For what the system itself encoded. */
export function bytesIn(value: Uint8Array): Uint8Array | undefined {
  const widths = new Map([
    [0xc4, 1],
    [0xc5, 2],
    [BINARY, 4],
  ]);
  const width = value[0] === Tag.PLAIN ? widths.get(value[1] ?? 0) : undefined;
  if (width === undefined || value.length < 2 + width) return undefined;
  let length = 0;
  for (let at = 0; at < width; at++) length = length * 256 + (value[2 + at] ?? 0);
  return value.length === 2 + width + length ? value.subarray(2 + width) : undefined;
}
