/**
 * Reads MessagePack from strangers: nil, booleans, numbers, strings, bytes, arrays and maps with text keys; nothing else.
 * Time and memory are bounded by the bytes given: a count larger than what is left is refused before anything is allocated,
 * depth is limited, and no extension runs. msgpackr's own decoder allocates what a header claims, keeps record definitions
 * between messages and compiles readers for them, so it isn't let near bytes from the bus.
 * Not here: the envelope (codec.ts), shapes (protocol/shape.ts). User values add their own extensions in value/value-reader.ts.
 */
import { PolaronError } from '../model/errors.ts';

const MAX_DEPTH = 64;
/** Up to here a string is put together in JavaScript; above, one native call is quicker. */
const SHORT_TEXT = 12;
const KEY_SLOTS = 2048;
const LONGEST_CACHED_KEY = 24;

interface CachedKey {
  readonly text: string;
  readonly bytes: Uint8Array;
}
/** Field names repeat in every message: a lookup by a few bytes saves making the string. Bounded; a miss overwrites. */
const keyCache: (CachedKey | undefined)[] = Array.from({ length: KEY_SLOTS }, () => undefined);

const eight = new Uint8Array(8);
const eightView = new DataView(eight.buffer);

function bad(reason: string, at: number): PolaronError {
  return new PolaronError('BAD_MESSAGE', `message can't be decoded at byte ${at}: ${reason}`, {
    details: { offset: at, reason },
  });
}

/** A cursor over one message. Every method raises BAD_MESSAGE when the bytes aren't what it reads. Protected methods are for readers that allow more. */
export class WireReader {
  readonly #data: Uint8Array;
  /** The same bytes as a Buffer, made for the first longer text. */
  #buffer: Buffer | undefined;
  readonly #maxDepth: number;
  #at: number;

  constructor(data: Uint8Array, start = 0, maxDepth = MAX_DEPTH) {
    this.#data = data;
    this.#at = start;
    this.#maxDepth = maxDepth;
  }

  get offset(): number {
    return this.#at;
  }

  /** Goes on at byte `at`. */
  seek(at: number): void {
    this.#at = at;
  }

  get done(): boolean {
    return this.#at === this.#data.length;
  }

  /** Raises BAD_MESSAGE when bytes are left over. */
  end(): void {
    if (!this.done) throw bad(`${this.#data.length - this.#at} bytes too many`, this.#at);
  }

  /** Any value. */
  value(depth = 0): unknown {
    const at = this.#at;
    const tag = this.#byte();
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 0x0f, depth, at);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth, at);
    if (tag < 0xc0) return this.#text(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.binary(this.take(this.#uint(1 << (tag - 0xc4))));
      case 0xc7:
      case 0xc8:
      case 0xc9: {
        const length = this.#uint(1 << (tag - 0xc7));
        return this.extension(this.#byte(), length, depth, at);
      }
      case 0xca:
        this.#fill(4);
        return eightView.getFloat32(0);
      case 0xcb:
        return this.float64();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (tag - 0xcc));
      case 0xcf:
      case 0xd3:
        this.#fill(8);
        return this.int64(tag === 0xd3 ? eightView.getBigInt64(0) : eightView.getBigUint64(0), at);
      case 0xd0:
        return (this.#uint(1) << 24) >> 24;
      case 0xd1:
        return (this.#uint(2) << 16) >> 16;
      case 0xd2:
        return this.#uint(4) | 0;
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(this.#byte(), 1 << (tag - 0xd4), depth, at);
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (tag - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(tag === 0xdc ? 2 : 4), depth, at);
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(tag === 0xde ? 2 : 4), depth, at);
      default:
        throw bad(`tag 0x${tag.toString(16)} is unknown`, at);
    }
  }

  /** The header of an array: how many items follow. Nothing is allocated. */
  arrayHeader(): number {
    const at = this.#at;
    const tag = this.#byte();
    if (tag >= 0x90 && tag < 0xa0) return this.#count(tag & 0x0f, 1, at);
    if (tag === 0xdc) return this.#count(this.#uint(2), 1, at);
    if (tag === 0xdd) return this.#count(this.#uint(4), 1, at);
    throw bad('expected an array', at);
  }

  /** Is an array next? */
  get atArray(): boolean {
    const tag = this.#data[this.#at] ?? 0;
    return (tag >= 0x90 && tag < 0xa0) || tag === 0xdc || tag === 0xdd;
  }

  /** A whole number from 0 to 2^53 - 1. */
  uint(): number {
    const at = this.#at;
    const x = this.value(this.#maxDepth);
    if (typeof x !== 'number' || !Number.isSafeInteger(x) || x < 0) throw bad('expected a whole number from 0', at);
    return x;
  }

  text(maxLength: number): string {
    const at = this.#at;
    const x = this.value(this.#maxDepth);
    if (typeof x !== 'string' || x.length > maxLength) throw bad(`expected text of at most ${maxLength}`, at);
    return x;
  }

  /** Bytes, as a view of the message. */
  bytes(): Uint8Array {
    const at = this.#at;
    const x = this.value(this.#maxDepth);
    if (!(x instanceof Uint8Array)) throw bad('expected bytes', at);
    return x;
  }

  #byte(): number {
    const byte = this.#data[this.#at];
    if (byte === undefined) throw bad('it ends too early', this.#at);
    this.#at++;
    return byte;
  }

  #uint(width: number): number {
    let x = 0;
    for (let i = 0; i < width; i++) x = x * 256 + this.#byte();
    return x;
  }

  #fill(count: number): void {
    for (let i = 0; i < count; i++) eight[i] = this.#byte();
  }

  /** What a 64-bit integer becomes. */
  protected int64(x: bigint, at: number): unknown {
    const plain = Number(x);
    if (!Number.isSafeInteger(plain)) throw bad('a whole number beyond 2^53', at);
    return plain;
  }

  /** What bytes become; they are a view of the message. */
  protected binary(view: Uint8Array): unknown {
    return view;
  }

  /** An extension of `type`, whose payload of `length` bytes comes next. Here only msgpackr's `undefined`: type 0, one byte. */
  protected extension(type: number, length: number, _depth: number, at: number): unknown {
    if (type === 0 && length === 1 && this.#byte() === 0) return undefined;
    throw bad(`extension of type ${type}`, at);
  }

  /** An array or object was begun; its content follows. */
  protected made(_container: object): void {
    // nothing to keep track of
  }

  /** Refuses what was begun at byte `at`. */
  protected refuse(reason: string, at: number): never {
    throw bad(reason, at);
  }

  /** The next byte. */
  protected byte(): number {
    return this.#byte();
  }

  /** A double. */
  protected float64(): number {
    this.#fill(8);
    return eightView.getFloat64(0);
  }

  /** The next `length` bytes, as a view. */
  protected take(length: number): Uint8Array {
    const at = this.#at;
    this.#count(length, 1, at);
    this.#at = at + length;
    return new Uint8Array(this.#data.buffer, this.#data.byteOffset + at, length);
  }

  /** Each item takes at least `width` bytes: a larger count is a lie. */
  #count(count: number, width: number, at: number): number {
    if (count * width > this.#data.length - this.#at) throw bad(`${count} items in fewer bytes`, at);
    return count;
  }

  #text(length: number): string {
    const start = this.#at;
    this.#count(length, 1, start);
    this.#at = start + length;
    if (length <= SHORT_TEXT) {
      let text = '';
      for (let i = start; i < start + length; i++) {
        const byte = this.#data[i] ?? 0;
        if (byte >= 0x80) return this.#utf8(start, length);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return this.#utf8(start, length);
  }

  #utf8(start: number, length: number): string {
    const data = this.#data;
    this.#buffer ??= Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return this.#buffer.toString('utf8', start, start + length);
  }

  #array(count: number, depth: number, at: number): unknown[] {
    this.#enter(depth, at);
    this.#count(count, 1, at);
    const items: unknown[] = [];
    this.made(items);
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    return items;
  }

  #map(count: number, depth: number, at: number): Record<string, unknown> {
    this.#enter(depth, at);
    this.#count(count, 2, at);
    const map: Record<string, unknown> = {};
    this.made(map);
    for (let i = 0; i < count; i++) {
      const key = this.#key();
      map[key] = this.value(depth + 1);
    }
    return map;
  }

  #enter(depth: number, at: number): void {
    if (depth >= this.#maxDepth) throw bad(`nested deeper than ${this.#maxDepth}`, at);
  }

  #key(): string {
    const at = this.#at;
    const tag = this.#byte();
    const length = tag >= 0xa0 && tag < 0xc0 ? tag & 0x1f : tag === 0xd9 ? this.#byte() : -1;
    if (length >= 0 && length <= LONGEST_CACHED_KEY) return this.#cachedKey(length);
    this.#at = at;
    const key = this.value(this.#maxDepth);
    if (typeof key !== 'string') throw bad('a key that is not text', at);
    if (key === '__proto__') throw bad('the key __proto__', at);
    return key;
  }

  #cachedKey(length: number): string {
    const data = this.#data;
    const start = this.#at;
    const slot =
      ((data[start] ?? 0) +
        (data[start + (length >> 1)] ?? 0) * 31 +
        (data[start + length - 1] ?? 0) * 257 +
        length * 61) %
      KEY_SLOTS;
    const cached = keyCache[slot];
    if (cached !== undefined && cached.bytes.length === length) {
      let i = 0;
      while (i < length && data[start + i] === cached.bytes[i]) i++;
      if (i === length) {
        this.#at = start + length;
        return cached.text;
      }
    }
    const text = this.#text(length);
    // assigning it would change the object's prototype; as it is never cached, only misses are checked
    if (text === '__proto__') throw bad('the key __proto__', start);
    keyCache[slot] = { text, bytes: data.slice(start, start + length) };
    return text;
  }
}
