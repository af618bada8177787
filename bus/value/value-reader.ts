/** Reads PLAIN and TEMPLATE payloads: what value-writer.ts wrote. Bytes are copied, so that the value is the caller's own. Raises BAD_MESSAGE. */
import { registry } from '../protocol/registry.ts';
import { WireReader } from '../wire-reader.ts';
import { DEEPEST, errorClasses, Ext, typedArrayNames, typedArrays } from './format.ts';
import { codecFailed, codecMissing } from './unread.ts';
import type { Placeholder } from './value-writer.ts';

/** Stands in for an instance whose codec hasn't made it yet. */
const UNMADE = Symbol('unmade');

let strangers: ((codec: string, content: unknown) => object) | undefined;

/** What instances become whose codec isn't registered, instead of an error: for a program that shows values and has nobody's classes. */
export function readStrangers(make: ((codec: string, content: unknown) => object) | undefined): void {
  strangers = make;
}

export class ValueReader extends WireReader {
  readonly #resolve: ((ref: Placeholder) => unknown) | undefined;
  readonly #made: unknown[] = [];

  /** Payload begins at byte 1, after the tag. */
  constructor(data: Uint8Array, resolve?: (ref: Placeholder) => unknown) {
    super(data, 1, DEEPEST + 1);
    this.#resolve = resolve;
  }

  protected override made(container: object): void {
    this.#made.push(container);
  }

  protected override int64(x: bigint): unknown {
    return x;
  }

  protected override binary(view: Uint8Array): unknown {
    return this.#keep(view.slice());
  }

  #keep<T>(x: T): T {
    this.#made.push(x);
    return x;
  }

  protected override extension(type: number, length: number, depth: number, at: number): unknown {
    if (depth > DEEPEST) this.refuse(`nested deeper than ${DEEPEST}`, at);
    const end = this.offset + length;
    const x = this.#extension(type, length, depth, at);
    if (this.offset !== end) this.refuse(`extension of type ${type} is not ${length} bytes long`, at);
    return x;
  }

  #extension(type: number, length: number, depth: number, at: number): unknown {
    switch (type) {
      case Ext.UNDEFINED:
        this.byte();
        return undefined;
      case Ext.DATE:
        return this.#keep(new Date(this.float64()));
      case Ext.MAP:
        return this.#map(depth);
      case Ext.SET:
        return this.#set(depth);
      case Ext.REGEXP:
        return this.#regExp(at);
      case Ext.ERROR:
        return this.#error(depth, at);
      case Ext.BIGINT:
        return this.#bigint(at);
      case Ext.URL:
        return this.#url(at);
      case Ext.TYPED_ARRAY:
        return this.#typedArray(length, at);
      case Ext.ARRAY_BUFFER:
        return this.#keep(this.take(length).slice().buffer);
      case Ext.DATA_VIEW:
        return this.#keep(new DataView(this.take(length).slice().buffer));
      case Ext.BUFFER:
        return this.#keep(Buffer.from(this.take(length)));
      case Ext.REFERENCE:
        return this.#reference(length, at);
      case Ext.CODEC:
        return this.#codec(depth, at);
      case Ext.PLACEHOLDER:
        return this.#placeholder(at);
      default:
        return this.refuse(`extension of type ${type}`, at);
    }
  }

  #map(depth: number): Map<unknown, unknown> {
    const map = this.#keep(new Map<unknown, unknown>());
    for (let left = this.arrayHeader(); left > 1; left -= 2) {
      const key = this.value(depth + 1);
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  #set(depth: number): Set<unknown> {
    const set = this.#keep(new Set<unknown>());
    for (let left = this.arrayHeader(); left > 0; left--) set.add(this.value(depth + 1));
    return set;
  }

  #text(): string {
    return this.text(Number.MAX_SAFE_INTEGER);
  }

  #regExp(at: number): RegExp {
    const source = this.#text();
    const flags = this.#text();
    try {
      return this.#keep(new RegExp(source, flags));
    } catch {
      return this.refuse('not a regular expression here', at);
    }
  }

  #url(at: number): URL {
    const text = this.#text();
    return URL.canParse(text) ? this.#keep(new URL(text)) : this.refuse('not a URL', at);
  }

  #bigint(at: number): bigint {
    const text = this.#text();
    if (!/^-?[0-9a-f]+$/.test(text)) this.refuse('not a bigint', at);
    return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
  }

  #error(depth: number, at: number): Error {
    const error = this.#keep(newError(this.#text()));
    if (error === undefined) return this.refuse('an unknown error class', at);
    for (let left = this.arrayHeader(); left > 1; left -= 2) {
      const key = this.#text();
      const hidden = key === 'message' || key === 'stack' || key === 'cause' || key === 'errors';
      const value = this.value(depth + 1);
      Object.defineProperty(error, key, { value, enumerable: !hidden, writable: true, configurable: true });
    }
    return error;
  }

  #typedArray(length: number, at: number): unknown {
    if (length < 1) return this.refuse('a typed array without a kind', at);
    const name = typedArrayNames[this.byte()];
    const bytes = this.take(length - 1).slice();
    for (const [known, Class] of Object.entries(typedArrays)) {
      if (known !== name || bytes.length % Class.BYTES_PER_ELEMENT !== 0) continue;
      return this.#keep(new Class(bytes.buffer));
    }
    return this.refuse('an unknown typed array', at);
  }

  #reference(length: number, at: number): unknown {
    if (length !== 4) this.refuse('a reference that is none', at);
    let number = 0;
    for (let i = 0; i < 4; i++) number = number * 256 + this.byte();
    const found = number < this.#made.length ? this.#made[number] : UNMADE;
    return found === UNMADE ? this.refuse(`a reference to object ${number}, which isn't there`, at) : found;
  }

  #codec(depth: number, at: number): unknown {
    const name = this.#text();
    const number = this.#made.push(UNMADE) - 1;
    const content = this.value(depth + 1);
    const instance = this.instance(name, content, at);
    this.#made[number] = instance;
    return instance;
  }

  /** What a codec makes of its content. Raises Unread. */
  protected instance(name: string, content: unknown, at: number): unknown {
    const codec = registry().codecs.get(name);
    if (codec === undefined) {
      if (strangers !== undefined) return strangers(name, content);
      throw codecMissing(name, at);
    }
    let made: unknown;
    try {
      made = Reflect.apply(codec.decode, undefined, [content]);
    } catch (cause) {
      throw codecFailed(codec, at, `threw while decoding: ${String(cause)}`, cause);
    }
    if (made instanceof Promise) {
      made.catch(() => undefined);
      throw codecFailed(codec, at, 'gave a promise while decoding; codecs are synchronous');
    }
    return made;
  }

  #placeholder(at: number): unknown {
    const parts = this.arrayHeader();
    const input = this.uint();
    const path: (string | number)[] = [];
    for (let i = 1; i < parts; i++) {
      const part = this.value(DEEPEST);
      if (typeof part !== 'string' && typeof part !== 'number') return this.refuse('not a path', at);
      path.push(part);
    }
    if (this.#resolve === undefined) return this.refuse('a placeholder in a value', at);
    return this.#resolve({ input, path });
  }
}

function newError(kind: string): Error | undefined {
  if (kind === 'AggregateError') return emptied(new AggregateError([]));
  for (const [name, Class] of Object.entries(errorClasses)) {
    if (name === kind && Class !== AggregateError) return emptied(Reflect.construct(Class, []));
  }
  return undefined;
}

/** Without the stack of this place: what the error had of its own is set afterwards. */
function emptied(error: Error): Error {
  for (const key of Object.getOwnPropertyNames(error)) Reflect.deleteProperty(error, key);
  return error;
}
