/** MessagePack's primitives into a buffer that grows. Not here: which value becomes what (value-writer.ts). */
import { lostSurrogate } from './check.ts';

const START_BYTES = 16 * 1024;
/** A result above this takes the buffer along instead of being copied out of it. */
const HAND_OVER_BYTES = 512 * 1024;
/** Up to here a text is written in JavaScript; above, one native call is quicker. */
const SHORT_TEXT = 48;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** One buffer is kept between uses; a nested use (a codec that encodes) makes its own. */
let spare: Uint8Array<ArrayBuffer> | undefined;

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #buffer: Buffer;
  #view: DataView;
  /** Next byte to write. */
  at = 0;

  /** `own`: a buffer that no other writer uses, for one that lives long; see `cut`. */
  constructor(own?: Uint8Array<ArrayBuffer>) {
    this.#bytes = own ?? spare ?? new Uint8Array(START_BYTES);
    if (own === undefined) spare = undefined;
    this.#buffer = Buffer.from(this.#bytes.buffer);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written. The writer must not be used afterwards. */
  finish(): Uint8Array {
    if (this.at > HAND_OVER_BYTES) return this.#bytes.subarray(0, this.at);
    const result = this.#bytes.slice(0, this.at);
    this.release();
    return result;
  }

  /** What was written so far; the writer begins anew. For one with a buffer of its own. */
  cut(): Uint8Array {
    const large = this.#bytes.length > HAND_OVER_BYTES;
    const result = large ? this.#bytes.subarray(0, this.at) : this.#bytes.slice(0, this.at);
    if (large) this.#use(new Uint8Array(START_BYTES));
    this.at = 0;
    return result;
  }

  /** A view of what was written since `from`; the next write may overwrite it. */
  since(from: number): Uint8Array {
    return this.#bytes.subarray(from, this.at);
  }

  /** Puts a number over four bytes that were written before. */
  uint32At(at: number, x: number): void {
    this.#view.setUint32(at, x);
  }

  /** Gives the buffer back without a result. */
  release(): void {
    if (this.#bytes.length <= HAND_OVER_BYTES) spare = this.#bytes;
  }

  byte(x: number): void {
    this.#room(1);
    this.#bytes[this.at++] = x;
  }

  uint32(x: number): void {
    this.#room(4);
    this.#view.setUint32(this.at, x);
    this.at += 4;
  }

  float64(x: number): void {
    this.#room(9);
    this.#bytes[this.at] = 0xcb;
    this.#view.setFloat64(this.at + 1, x);
    this.at += 9;
  }

  rawFloat64(x: number): void {
    this.#room(8);
    this.#view.setFloat64(this.at, x);
    this.at += 8;
  }

  /** Any number; -0 stays -0. */
  number(x: number): void {
    if (!Number.isInteger(x) || (x === 0 && 1 / x < 0) || x > 0xffffffff || x < -0x80000000) {
      this.float64(x);
      return;
    }
    this.#room(5);
    const bytes = this.#bytes;
    if (x >= 0) {
      if (x < 0x80) bytes[this.at++] = x;
      else if (x < 0x100) {
        bytes[this.at++] = 0xcc;
        bytes[this.at++] = x;
      } else if (x < 0x10000) {
        bytes[this.at++] = 0xcd;
        bytes[this.at++] = x >> 8;
        bytes[this.at++] = x;
      } else {
        bytes[this.at++] = 0xce;
        this.#view.setUint32(this.at, x);
        this.at += 4;
      }
    } else if (x >= -0x20) bytes[this.at++] = x;
    else if (x >= -0x80) {
      bytes[this.at++] = 0xd0;
      bytes[this.at++] = x;
    } else {
      bytes[this.at++] = 0xd2;
      this.#view.setInt32(this.at, x);
      this.at += 4;
    }
  }

  int64(x: bigint): void {
    this.#room(9);
    this.#bytes[this.at] = 0xd3;
    this.#view.setBigInt64(this.at + 1, x);
    this.at += 9;
  }

  /** Text as UTF-8. Raises Loss for half a surrogate pair. */
  text(x: string): void {
    const { length } = x;
    if (length <= SHORT_TEXT && this.#asciiText(x)) return;
    // the header's size is that of the largest possible length, so that the text is written once
    this.#room(5 + length * 3);
    const wide = length * 3 >= 0x10000 ? 5 : length * 3 >= 0x100 ? 3 : 2;
    const written = this.#buffer.write(x, this.at + wide, 'utf8');
    if (written !== length && LONE_SURROGATE.test(x)) throw lostSurrogate();
    this.#header(wide, [0xd9, 0xda, 0xdb], written);
    this.at += wide + written;
  }

  #asciiText(x: string): boolean {
    const { length } = x;
    this.#room(2 + length);
    const bytes = this.#bytes;
    let at = this.at;
    if (length < 32) bytes[at++] = 0xa0 | length;
    else {
      bytes[at++] = 0xd9;
      bytes[at++] = length;
    }
    for (let i = 0; i < length; i++) {
      const code = x.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[at++] = code;
    }
    this.at = at;
    return true;
  }

  #header(wide: number, tags: readonly [number, number, number], length: number): void {
    const at = this.at;
    if (wide === 2) {
      this.#bytes[at] = tags[0];
      this.#bytes[at + 1] = length;
    } else if (wide === 3) {
      this.#bytes[at] = tags[1];
      this.#view.setUint16(at + 1, length);
    } else {
      this.#bytes[at] = tags[2];
      this.#view.setUint32(at + 1, length);
    }
  }

  binary(x: Uint8Array): void {
    const wide = x.length >= 0x10000 ? 5 : x.length >= 0x100 ? 3 : 2;
    this.#room(wide);
    this.#header(wide, [0xc4, 0xc5, 0xc6], x.length);
    this.at += wide;
    this.raw(x);
  }

  raw(x: Uint8Array): void {
    this.#room(x.length);
    this.#bytes.set(x, this.at);
    this.at += x.length;
  }

  array(count: number): void {
    this.#container(count, 0x90, 0xdc);
  }

  map(count: number): void {
    this.#container(count, 0x80, 0xde);
  }

  #container(count: number, fix: number, tag: number): void {
    this.#room(5);
    if (count < 16) this.#bytes[this.at++] = fix | count;
    else if (count < 0x10000) {
      this.#bytes[this.at++] = tag;
      this.#view.setUint16(this.at, count);
      this.at += 2;
    } else {
      this.#bytes[this.at++] = tag + 1;
      this.#view.setUint32(this.at, count);
      this.at += 4;
    }
  }

  /** Begins an extension of a length not yet known: give what it returns to `endExtension`. */
  beginExtension(type: number): number {
    this.#room(6);
    this.#bytes[this.at] = 0xc9;
    this.#bytes[this.at + 5] = type;
    this.at += 6;
    return this.at;
  }

  endExtension(start: number): void {
    this.#view.setUint32(start - 5, this.at - start);
  }

  #room(count: number): void {
    const needed = this.at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.at));
    this.#use(grown);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer);
    this.#view = new DataView(bytes.buffer);
  }
}
