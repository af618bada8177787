/**
 * A value of a dispatch as JSON: plain where JSON can say it, `{"$type": …}` where it can't. docs/cli.md holds the same table.
 * Not here: reading it back (whoever reads `polaron result --json` does that; test/cli/read-value-json.ts shows how).
 */
import { inspect, type InspectOptions } from 'node:util';
import { PolaronError } from '../model/errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Every `$type` there is, in the order of docs/cli.md. */
export const valueTypes = [
  'undefined',
  'number',
  'bigint',
  'Date',
  'RegExp',
  'URL',
  'Map',
  'Set',
  'Error',
  'bytes',
  'ArrayBuffer',
  'DataView',
  'TypedArray',
  'object',
  'codec',
  'cycle',
] as const;
export type ValueType = (typeof valueTypes)[number];

/** An instance of a user's class, whose codec is in the user's code: what that codec made. */
export class Coded {
  readonly name: string;
  readonly content: unknown;

  constructor(name: string, content: unknown) {
    this.name = name;
    this.content = content;
  }

  /** As it is shown in a terminal. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `${this.name} ${inspect(this.content, options)}`;
  }
}

const tagged = (type: ValueType, rest: { readonly [key: string]: Json } = {}): Json => ({ $type: type, ...rest });

/**
 * `value` as JSON; strings, booleans, null, finite numbers but -0, arrays and plain objects stay as they are.
 * Raises RESULT_NOT_SERIALISABLE for a function or symbol: no decoded value holds one.
 */
export function valueToJson(value: unknown): Json {
  return encode(value, '', new Map());
}

/** `path`: JSON pointer (RFC 6901) of where the result stands; `above`: the objects that hold this one, with theirs. */
function encode(value: unknown, path: string, above: Map<object, string>): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : tagged('number', { value: Object.is(value, -0) ? '-0' : String(value) });
    case 'bigint':
      return tagged('bigint', { value: String(value) });
    case 'undefined':
      return tagged('undefined');
    case 'object':
      return value === null ? null : encodeObject(value, path, above);
    case 'function':
    case 'symbol':
    default:
      throw new PolaronError('RESULT_NOT_SERIALISABLE', `a ${typeof value} at ${path === '' ? '/' : path} has no JSON`);
  }
}

function encodeObject(value: object, path: string, above: Map<object, string>): Json {
  const seenAt = above.get(value);
  if (seenAt !== undefined) return tagged('cycle', { path: seenAt });
  above.set(value, path);
  try {
    return encodeNew(value, (child, ...steps) =>
      encode(child, path + steps.map((step) => `/${pointerStep(step)}`).join(''), above),
    );
  } finally {
    above.delete(value);
  }
}

const pointerStep = (step: string | number): string => String(step).replaceAll('~', '~0').replaceAll('/', '~1');

type EncodeChild = (child: unknown, ...steps: (string | number)[]) => Json;

function encodeNew(value: object, child: EncodeChild): Json {
  if (Array.isArray(value)) return Array.from(value, (item: unknown, i) => child(item, i));
  if (value instanceof Date)
    return tagged('Date', { value: Number.isNaN(value.getTime()) ? null : value.toISOString() });
  if (value instanceof RegExp)
    return tagged('RegExp', { source: value.source, flags: value.flags, lastIndex: value.lastIndex });
  if (value instanceof URL) return tagged('URL', { value: value.href });
  if (value instanceof Map)
    return tagged('Map', {
      entries: [...value].map(([k, v], i) => [child(k, 'entries', i, 0), child(v, 'entries', i, 1)]),
    });
  if (value instanceof Set) return tagged('Set', { values: [...value].map((item, i) => child(item, 'values', i)) });
  if (value instanceof Coded) return tagged('codec', { name: value.name, value: child(value.content, 'value') });
  if (value instanceof Error) return encodeError(value, child);
  if (ArrayBuffer.isView(value)) return encodeView(value);
  if (value instanceof ArrayBuffer) return tagged('ArrayBuffer', { base64: base64(new Uint8Array(value)) });
  const entries = Object.entries(value);
  if (!Object.hasOwn(value, '$type'))
    return Object.fromEntries(entries.map(([name, item]) => [name, child(item, name)]));
  return tagged('object', { entries: entries.map(([name, item], i) => [name, child(item, 'entries', i, 1)]) });
}

/** `properties`: its own ones (`code`, `errors` of an AggregateError, …) but for those that every error has. */
function encodeError(error: Error, child: EncodeChild): Json {
  const standard = new Set(['name', 'message', 'stack', 'cause']);
  const names = Object.getOwnPropertyNames(error).filter((name) => !standard.has(name));
  return tagged('Error', {
    name: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...('cause' in error ? { cause: child(error.cause, 'cause') } : {}),
    ...(names.length === 0
      ? {}
      : {
          properties: names.map((name, i) => [name, child(Reflect.get(error, name), 'properties', i, 1)]),
        }),
  });
}

function encodeView(view: ArrayBufferView): Json {
  if (view instanceof DataView)
    return tagged('DataView', { base64: base64(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) });
  if (view instanceof Uint8Array) return tagged('bytes', { base64: base64(view) });
  return tagged('TypedArray', { name: typedArrayName(view), values: elementsOf(view) });
}

const typedArrayName = (view: ArrayBufferView): string => String(Reflect.get(view, Symbol.toStringTag));

function elementsOf(view: ArrayBufferView): Json {
  const elements: Json[] = [];
  if (view instanceof BigInt64Array || view instanceof BigUint64Array) {
    for (const item of view) elements.push(String(item));
  } else if (isNumberArray(view)) {
    for (const item of view) elements.push(encode(item, '', new Map()));
  }
  return elements;
}

const isNumberArray = (view: ArrayBufferView): view is ArrayBufferView & Iterable<number> => Symbol.iterator in view;

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
