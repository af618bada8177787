/**
 * A value that is nothing but bytes: its encoding is six bytes of header and the bytes as they are, so that a large one needn't be copied to be encoded or
 * decoded. Not here: everything else (value.ts), whose result is the same.
 */
import { registry } from '../protocol/registry.ts';
import { Tag } from './format.ts';

const BINARY = 0xc6;
export const BYTES_HEAD = 6;
/** Shorter ones have a shorter header. */
const SHORTEST = 0x10000;

/** What goes before the bytes; undefined when `value` isn't a large Uint8Array of this realm, or others may still change it. */
export function headOfBytes(value: unknown): Uint8Array | undefined {
  if (!isOwnBytes(value) || value.length < SHORTEST) return undefined;
  for (const { ctor } of registry().codecs.values()) if (ctor.prototype === Uint8Array.prototype) return undefined;
  const head = new Uint8Array(BYTES_HEAD);
  head[0] = Tag.PLAIN;
  head[1] = BINARY;
  new DataView(head.buffer).setUint32(2, value.length);
  return head;
}

export const isOwnBytes = (value: unknown): value is Uint8Array<ArrayBuffer> =>
  value instanceof Uint8Array &&
  Object.getPrototypeOf(value) === Uint8Array.prototype &&
  value.buffer instanceof ArrayBuffer;

/** Do `size` bytes that begin so encode nothing but bytes? */
export function isBytesHead(head: Uint8Array, size: number): boolean {
  if (head.length < BYTES_HEAD || head[0] !== Tag.PLAIN || head[1] !== BINARY) return false;
  return new DataView(head.buffer, head.byteOffset).getUint32(2) === size - BYTES_HEAD;
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
