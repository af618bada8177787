/**
 * What can't be kept in an encoded value, and how it is said: the path to it, what it is, what to do.
 * Not here: the walk that finds it (value-writer.ts).
 */
import { isBoxedPrimitive } from 'node:util/types';
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import { LARGEST_VALUE_BYTES, valueTooLarge } from '../../model/value-limit.ts';
import { TooManyBytes } from '../byte-writer.ts';
import { registry, type CodecEntry } from '../protocol/registry.ts';

export type PathPart = string | number;
export type LossCode = Extract<ErrorCode, 'NOT_SERIALISABLE' | 'RESULT_NOT_SERIALISABLE'>;

/** Something that would be lost, with the path so far, innermost first. Leaves this folder only as a PolaronError. */
export class Loss extends Error {
  readonly path: PathPart[] = [];
  readonly what: string;
  readonly advice: string;
  readonly promise: boolean;
  /** Whose encoding holds it, or failed. */
  codec: string | undefined;

  constructor(what: string, advice: string, options: { readonly promise?: boolean; readonly cause?: unknown } = {}) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause });
    this.what = what;
    this.advice = advice;
    this.promise = options.promise ?? false;
  }
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** `$.a[0]["odd key"]` */
export function showPath(path: readonly PathPart[]): string {
  let shown = '$';
  for (const part of path) {
    if (typeof part === 'number') shown += `[${part}]`;
    else shown += IDENTIFIER.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
  }
  return shown;
}

/**
 * The error for a loss in `where` (such as `argument 1 of electron "train"`): PROMISE_ARG for a promise, otherwise `code`; `details.path` holds the path.
 * `prefix` is the path from `where` to what was walked. Anything that isn't a loss is given back as it is.
 */
export function lossError(error: unknown, where: string, code: LossCode, prefix: readonly PathPart[] = []): unknown {
  if (error instanceof TooManyBytes) return valueTooLarge(where, undefined, LARGEST_VALUE_BYTES);
  if (!(error instanceof Loss)) return error;
  if (error.cause instanceof TooManyBytes)
    return valueTooLarge(
      `${where} at ${showPath([...prefix, ...error.path.toReversed()])}`,
      undefined,
      LARGEST_VALUE_BYTES,
    );
  const path = showPath([...prefix, ...error.path.toReversed()]);
  const { what, advice, codec } = error;
  const made = codec === undefined || what.startsWith(CODEC_OF) ? '' : `, in what the codec of ${codec} made`;
  return new PolaronError(
    error.promise ? 'PROMISE_ARG' : code,
    `${where} is not serialisable at ${path} (${what}${made}); ${advice}`,
    { details: { path, what, ...(codec === undefined ? {} : { codec }) }, cause: error.cause },
  );
}

const CODEC_OF = 'the codec of ';

/** `the codec of Matrix (matrix.ts:12)`: where it was registered, if that is known here. */
export const shownCodec = ({ name, at }: Pick<CodecEntry, 'name' | 'at'>): string =>
  at === undefined || at === 'unknown place' ? `${CODEC_OF}${name}` : `${CODEC_OF}${name} (${at})`;

/** A codec that throws, or does what codecs may not. */
export function lostToCodec(codec: CodecEntry, what: string, cause?: unknown): Loss {
  const loss = new Loss(`${shownCodec(codec)} ${what}`, 'mend the codec', cause === undefined ? {} : { cause });
  loss.codec = codec.name;
  return loss;
}

/** A primitive that can't be kept. */
export function lostPrimitive(x: unknown): Loss {
  if (typeof x === 'function') {
    const name = x.name === '' ? 'function' : `function ${x.name}`;
    return new Loss(name, 'pass data, and call functions of your modules inside the electron');
  }
  if (typeof x === 'symbol') return new Loss('symbol', 'use a string');
  return new Loss(typeof x, 'pass plain data');
}

export const lostSurrogate = (): Loss =>
  new Loss('text with half a surrogate pair', 'use String.prototype.toWellFormed(), or send bytes');

/** An object of a class that nothing is known about. */
export function lostInstance(x: object): Loss {
  if (isBoxedPrimitive(x)) return new Loss(`boxed ${x.constructor.name}`, 'use the primitive');
  const name = className(x);
  if (name === 'Promise') return new Loss('promise', 'await it first', { promise: true });
  if (x instanceof Error) {
    return new Loss(`error of class ${name}`, 'return { name, message }, or register a codec for the class');
  }
  const above = codecAbove(x);
  if (above !== undefined) {
    return new Loss(
      `instance of ${name}, a subclass of one with the codec ${above}`,
      `register a codec for ${name}, too: that of ${above} would not bring it back as a ${name}`,
    );
  }
  return new Loss(`instance of ${name}`, 'return plain data or a typed array, or register a codec for the class');
}

/** The codec of a class above that of `x`. */
function codecAbove(x: object): string | undefined {
  for (const { name, ctor } of registry().codecs.values()) if (x instanceof ctor) return name;
  return undefined;
}

/** The class's name, as its prototype says. */
export function className(x: object): string {
  const proto: unknown = Object.getPrototypeOf(x);
  if (typeof proto !== 'object' || proto === null) return 'Object';
  const constructor: unknown = Reflect.get(proto, 'constructor');
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'an unnamed class';
}
