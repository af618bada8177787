/** MessagePack's primitives into a buffer that grows. Not here: which value becomes what (codec.ts, value/value-writer.ts). */

const START_BYTES = 16 * 1024;
/** A result above this takes the buffer along instead of being copied out of it. */
const HAND_OVER_BYTES = 512 * 1024;
/** Up to here a text is written in JavaScript; above, one native call is quicker. */
const SHORT_TEXT = 48;
/** For lengths of one, two and four bytes. */
const TEXT_TAGS = [0xd9, 0xda, 0xdb] as const;
const BINARY_TAGS = [0xc4, 0xc5, 0xc6] as const;

/** Nothing larger is written: the system's calls and Node's buffers end here. */
const MOST_BYTES = 2 ** 31 - 1;

/** More than fits into any buffer. */
export class TooManyBytes extends RangeError {
  constructor(bytes: number) {
    super(`${bytes} bytes or more in one piece`);
  }
}

/** One writer is kept between uses; a nested use (a codec that encodes) makes its own. */
let spare: ByteWriter | undefined;

/** An empty writer; give it back by `finish` or `release`. */
export function takeWriter(): ByteWriter {
  const writer = spare ?? new ByteWriter();
  spare = undefined;
  writer.at = 0;
  return writer;
}

const keep = (writer: ByteWriter): void => {
  spare = writer;
};

export class ByteWriter {
  #bytes = new Uint8Array(START_BYTES);
  #buffer = Buffer.from(this.#bytes.buffer);
  #view = new DataView(this.#bytes.buffer);
  /** Next byte to write. */
  at = 0;

  /** What was written. The writer must not be used afterwards. */
  finish(): Uint8Array {
    if (this.at > HAND_OVER_BYTES) return this.#bytes.subarray(0, this.at);
    const result = this.#bytes.slice(0, this.at);
    this.release();
    return result;
  }

  /** What was written so far; the writer begins anew. For one that lives long. */
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

  /** Gives the writer back without a result. */
  release(): void {
    if (this.#bytes.length <= HAND_OVER_BYTES) keep(this);
  }

  byte(x: number): void {
    this.#room(1);
    this.#bytes[this.at++] = x;
  }

  /** As msgpackr writes it: an extension of type 0. */
  undefined(): void {
    this.#room(3);
    this.#bytes[this.at] = 0xd4;
    this.#bytes[this.at + 1] = 0;
    this.#bytes[this.at + 2] = 0;
    this.at += 3;
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

  /** Text as UTF-8; half a surrogate pair becomes U+FFFD. Returns how many bytes of UTF-8 it has. */
  text(x: string): number {
    const { length } = x;
    if (length <= SHORT_TEXT && this.#asciiText(x)) return length;
    // the header's size is that of the largest possible length, so that the text is written once
    this.#room(5 + length * 3);
    const wide = length * 3 >= 0x10000 ? 5 : length * 3 >= 0x100 ? 3 : 2;
    const written = this.#buffer.write(x, this.at + wide, 'utf8');
    this.#header(wide, TEXT_TAGS, written);
    this.at += wide + written;
    return written;
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

  #header(wide: number, tags: typeof TEXT_TAGS | typeof BINARY_TAGS, length: number): void {
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
    this.#header(wide, BINARY_TAGS, x.length);
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

  /** Begins bytes of a length not yet known: give what it returns to `endBinary`. */
  beginBinary(): number {
    this.#room(5);
    this.#bytes[this.at] = 0xc6;
    this.at += 5;
    return this.at;
  }

  endBinary(start: number): void {
    this.#view.setUint32(start - 4, this.at - start);
  }

  /** What was written, as a view of the message pool: for what is sent soon and kept by nobody. The writer must not be used afterwards. */
  finishMessage(): Uint8Array {
    if (this.at > HAND_OVER_BYTES) return this.#bytes.subarray(0, this.at);
    const message = Buffer.allocUnsafe(this.at);
    message.set(this.at === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.at));
    this.release();
    return message;
  }

  #room(count: number): void {
    const needed = this.at + count;
    if (needed <= this.#bytes.length) return;
    if (needed > MOST_BYTES) throw new TooManyBytes(needed);
    const grown = new Uint8Array(Math.max(needed, Math.min(MOST_BYTES, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.at));
    this.#use(grown);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer);
    this.#view = new DataView(bytes.buffer);
  }
}
