/**
 * Walks a value once, writing it and refusing what would be lost silently (raised as Loss, see check.ts).
 * Kept: null, undefined, booleans, numbers (-0, NaN, ±Infinity), bigint, well-formed text, plain and null-prototype objects (both come back plain),
 * arrays, Map, Set, Date, RegExp (not lastIndex), URL, built-in errors with stack, cause and own properties, typed arrays, Buffer, ArrayBuffer, DataView,
 * instances with a registered codec, cycles, and one object met twice. Two views of one ArrayBuffer come back with a buffer each.
 */
import * as types from 'node:util/types';
import type { CodecEntry } from '../protocol/registry.ts';
import { registry } from '../protocol/registry.ts';
import { takeWriter } from '../byte-writer.ts';
import { className, Loss, lostInstance, lostPrimitive, lostSurrogate, lostToCodec, type PathPart } from './check.ts';
import { DEEPEST, errorClasses, Ext, typedArrayNames } from './format.ts';

export interface Placeholder {
  readonly input: number;
  readonly path: readonly PathPart[];
}
/** Is this a reference to an input? Asked before anything else touches an object or function. */
export type RefOf = (x: unknown) => Placeholder | undefined;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Arrays up to this long are checked for properties besides their elements (such as a regular expression's match has). */
const CHECKED_ARRAY = 256;
/** Own properties of an error that aren't enumerable, but are its content. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const ERROR_FIELDS = ['message', 'stack', 'cause', 'errors'];

export class ValueWriter {
  readonly out = takeWriter();
  readonly #refOf: RefOf | undefined;
  /** Objects begun so far: the first, whose number is 0, and the numbers of all others. Most values have but one. */
  #begun = 0;
  #first: object | undefined;
  #numbers: Map<object, number> | undefined;
  /** Objects whose codec's result is being written: a reference to one couldn't be resolved. */
  #coded: Set<object> | undefined;
  #depth = 0;

  constructor(refOf?: RefOf) {
    this.#refOf = refOf;
  }

  write(x: unknown): void {
    switch (typeof x) {
      case 'string':
        this.#text(x);
        return;
      case 'number':
        this.out.number(x);
        return;
      case 'boolean':
        this.out.byte(x ? 0xc3 : 0xc2);
        return;
      case 'undefined':
        this.out.undefined();
        return;
      case 'bigint':
        this.#bigint(x);
        return;
      case 'object':
        if (x === null) this.out.byte(0xc0);
        else this.#object(x);
        return;
      case 'function':
      case 'symbol':
        if (!this.#placeholder(x)) throw lostPrimitive(x);
    }
  }

  #bigint(x: bigint): void {
    if (x >= INT64_MIN && x <= INT64_MAX) this.out.int64(x);
    else this.#extension(Ext.BIGINT, () => this.out.text(x.toString(16)));
  }

  /** Raises Loss for half a surrogate pair. */
  #text(x: string): void {
    if (this.out.text(x) !== x.length && LONE_SURROGATE.test(x)) throw lostSurrogate();
  }

  #placeholder(x: unknown): boolean {
    const found = this.#refOf?.(x);
    if (found === undefined) return false;
    const { out } = this;
    const start = out.beginExtension(Ext.PLACEHOLDER);
    out.array(found.path.length + 1);
    out.number(found.input);
    for (const part of found.path) {
      if (typeof part === 'number') out.number(part);
      else this.#text(part);
    }
    out.endExtension(start);
    return true;
  }

  #extension(type: number, content: () => void): void {
    const start = this.out.beginExtension(type);
    content();
    this.out.endExtension(start);
  }

  #object(x: object): void {
    if (this.#refOf !== undefined && this.#placeholder(x)) return;
    const number = this.#numberOf(x);
    if (number !== undefined) {
      this.#reference(x, number);
      return;
    }
    if (++this.#depth > DEEPEST) throw new Loss(`nested deeper than ${DEEPEST}`, 'flatten it');
    if (Array.isArray(x)) this.#array(x);
    else {
      const proto: unknown = Object.getPrototypeOf(x);
      if (proto === Object.prototype || proto === null || isForeignObjectPrototype(proto)) this.#plain(x);
      else this.#instance(x);
    }
    this.#depth--;
  }

  /** The number of an object that began before; any other gets the next one. */
  #numberOf(x: object): number | undefined {
    if (this.#begun === 0) {
      this.#first = x;
      this.#begun = 1;
      return undefined;
    }
    if (x === this.#first) return 0;
    this.#numbers ??= new Map();
    const number = this.#numbers.get(x);
    if (number === undefined) this.#numbers.set(x, this.#begun++);
    return number;
  }

  #reference(x: object, number: number): void {
    if (this.#coded?.has(x) === true) {
      throw new Loss(`a cycle through ${className(x)}`, "let the class's codec leave out the way back");
    }
    this.out.byte(0xd6);
    this.out.byte(Ext.REFERENCE);
    this.out.uint32(number);
  }

  #array(x: readonly unknown[]): void {
    const { length } = x;
    const ctor: unknown = x.constructor;
    if (ctor !== Array && className(x) !== 'Array') {
      this.#instance(x);
      return;
    }
    if (length <= CHECKED_ARRAY) noExtras(x, length);
    this.out.array(length);
    let i = 0;
    try {
      for (; i < length; i++) {
        const item = x[i];
        if (item === undefined && !(i in x))
          throw new Loss('a hole in a sparse array', 'fill it with undefined or null');
        this.write(item);
      }
    } catch (error) {
      throw at(error, i);
    }
  }

  #plain(x: object): void {
    if (types.isArgumentsObject(x)) throw new Loss('an arguments object', 'use [...arguments]');
    noSymbols(x);
    const keys = Object.keys(x);
    this.out.map(keys.length);
    this.#entries(x, keys);
  }

  #entries(x: object, keys: readonly string[]): void {
    let key = '';
    try {
      for (key of keys) {
        if (key === '__proto__') throw new Loss('a property named __proto__', 'rename it');
        this.#text(key);
        this.write(Reflect.get(x, key));
      }
    } catch (error) {
      throw at(error, key);
    }
  }

  #instance(x: object): void {
    const codec = codecOf(x);
    if (codec !== undefined) this.#codec(x, codec);
    else if (!this.#builtIn(x)) throw lostInstance(x);
  }

  #codec(x: object, codec: CodecEntry): void {
    this.#coded ??= new Set();
    this.#coded.add(x);
    this.#extension(Ext.CODEC, () => {
      this.#text(codec.name);
      const made = encoded(x, codec);
      try {
        this.write(made);
      } catch (error) {
        if (error instanceof Loss) error.codec ??= codec.name;
        throw error;
      }
    });
    this.#coded.delete(x);
  }

  /** False when it isn't one of JavaScript's or Node's own that can be kept. */
  #builtIn(x: object): boolean {
    const { out } = this;
    const name = className(x);
    if (types.isTypedArray(x)) this.#typedArray(x, name);
    else if (types.isNativeError(x)) this.#error(x, name);
    else if (types.isMap(x) && name === 'Map') this.#map(x);
    else if (types.isSet(x) && name === 'Set') this.#set(x);
    else if (types.isDate(x) && name === 'Date') {
      noExtras(x, 0);
      this.#extension(Ext.DATE, () => out.rawFloat64(x.getTime()));
    } else if (types.isRegExp(x) && name === 'RegExp') {
      noExtras(x, 0);
      this.#extension(Ext.REGEXP, () => {
        this.#text(x.source);
        this.#text(x.flags);
      });
    } else if (types.isArrayBuffer(x)) this.#extension(Ext.ARRAY_BUFFER, () => out.raw(new Uint8Array(x)));
    else if (types.isDataView(x)) {
      this.#extension(Ext.DATA_VIEW, () => out.raw(new Uint8Array(x.buffer, x.byteOffset, x.byteLength)));
    } else if (x instanceof URL && name === 'URL') this.#extension(Ext.URL, () => this.#text(x.href));
    else return false;
    return true;
  }

  #typedArray(x: NodeJS.TypedArray, name: string): void {
    const bytes = new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
    if (name === 'Uint8Array') this.out.binary(bytes);
    else if (Buffer.isBuffer(x)) this.#extension(Ext.BUFFER, () => this.out.raw(bytes));
    else {
      const kind = typedArrayNames.indexOf(name);
      if (kind < 0) throw lostInstance(x);
      this.#extension(Ext.TYPED_ARRAY, () => {
        this.out.byte(kind);
        this.out.raw(bytes);
      });
    }
  }

  #map(x: ReadonlyMap<unknown, unknown>): void {
    noExtras(x, 0);
    this.#extension(Ext.MAP, () => {
      this.out.array(x.size * 2);
      let i = 0;
      for (const [key, value] of x) {
        const part = typeof key === 'string' ? key : i;
        try {
          this.write(key);
          this.write(value);
        } catch (error) {
          throw at(error, part);
        }
        i++;
      }
    });
  }

  #set(x: ReadonlySet<unknown>): void {
    noExtras(x, 0);
    this.#extension(Ext.SET, () => {
      this.out.array(x.size);
      let i = 0;
      for (const item of x) {
        try {
          this.write(item);
        } catch (error) {
          throw at(error, i);
        }
        i++;
      }
    });
  }

  #error(x: Error, name: string): void {
    // Node makes its own errors with a class between, whose instances pass for the class above
    const kind = name === 'NodeError' ? className(Object(Object.getPrototypeOf(x))) : name;
    if (!Object.hasOwn(errorClasses, kind)) throw lostInstance(x);
    noSymbols(x);
    const keys = ERROR_FIELDS.filter((field) => Object.hasOwn(x, field));
    for (const key of Object.keys(x)) if (!ERROR_FIELDS.includes(key)) keys.push(key);
    this.#extension(Ext.ERROR, () => {
      this.out.text(kind);
      this.out.array(keys.length * 2);
      this.#entries(x, keys);
    });
  }
}

function encoded(x: object, codec: CodecEntry): unknown {
  let made: unknown;
  try {
    made = Reflect.apply(codec.encode, undefined, [x]);
  } catch (cause) {
    throw lostToCodec(codec, `threw while encoding: ${String(cause)}`, cause);
  }
  if (!(made instanceof Promise)) return made;
  made.catch(() => undefined);
  throw lostToCodec(codec, 'gave a promise while encoding; codecs are synchronous');
}

function codecOf(x: object): CodecEntry | undefined {
  const { codecs } = registry();
  if (codecs.size === 0) return undefined;
  const proto: unknown = Object.getPrototypeOf(x);
  for (const codec of codecs.values()) if (codec.ctor.prototype === proto) return codec;
  return undefined;
}

/** Another realm's Object.prototype (a vm context's, a test runner's). */
function isForeignObjectPrototype(proto: unknown): boolean {
  return (
    typeof proto === 'object' &&
    proto !== null &&
    Object.getPrototypeOf(proto) === null &&
    Object.hasOwn(proto, 'isPrototypeOf') &&
    Object.hasOwn(proto, 'propertyIsEnumerable')
  );
}

function noSymbols(x: object): void {
  for (const symbol of Object.getOwnPropertySymbols(x)) {
    if (Object.prototype.propertyIsEnumerable.call(x, symbol)) {
      throw new Loss(`a property under the symbol ${symbol.toString()}`, 'use a string as its key');
    }
  }
}

/** Enumerable own properties besides the elements would be lost. */
function noExtras(x: object, elements: number): void {
  const keys = Object.keys(x);
  if (keys.length <= elements && (elements === 0 || keys.length === elements)) {
    noSymbols(x);
    return;
  }
  const extra = keys.find((key) => elements === 0 || !/^\d+$/.test(key));
  if (extra === undefined) return;
  throw at(new Loss(`a property added to ${className(x)}`, 'put it into a plain object'), extra);
}

/** Adds a step to a loss's path. What else was thrown (a getter, a revoked proxy) becomes a loss at this step. */
function at(error: unknown, part: PathPart): Loss {
  const loss =
    error instanceof Loss ? error : new Loss(`reading it threw: ${String(error)}`, 'pass plain data', { cause: error });
  loss.path.push(part);
  return loss;
}
