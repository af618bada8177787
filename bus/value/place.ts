/**
 * Where in a value something stands that is known by its byte or by the input that it stands for: found by reading the value once more, with nothing
 * made by codecs. Only for errors: it costs as much as the reading did.
 */
import type { PathPart } from './check.ts';
import { ValueReader } from './value-reader.ts';
import type { Placeholder } from './value-writer.ts';

/** In the place of an instance: what its codec would have been given. */
class Stand {
  readonly content: unknown;
  constructor(content: unknown) {
    this.content = content;
  }
}

class Sketch extends ValueReader {
  readonly #at: number | undefined;
  found: object | undefined;

  constructor(bytes: Uint8Array, at: number | undefined, resolve: (ref: Placeholder) => unknown) {
    super(bytes, resolve);
    this.#at = at;
  }

  protected override instance(_codec: string, content: unknown, at: number): object {
    const stand = new Stand(content);
    if (at === this.#at) this.found = stand;
    return stand;
  }
}

/** The path to the instance that begins at byte `at` of an encoded value or template; as far as is known when it can't be found. */
export function pathOfByte(bytes: Uint8Array, at: number): readonly PathPart[] {
  const sketch = new Sketch(bytes, at, () => undefined);
  const value = sketch.value();
  return sketch.found === undefined ? [] : (pathTo(value, sketch.found) ?? []);
}

/** The path to the first place in a template that input `input` is put into. */
export function pathOfInput(template: Uint8Array, input: number): readonly PathPart[] {
  const mark = new Stand(undefined);
  const value = new Sketch(template, undefined, (ref) => (ref.input === input ? mark : undefined)).value();
  return pathTo(value, mark) ?? [];
}

/** As the paths of value-writer.ts: the content of an instance adds no step. */
function pathTo(value: unknown, wanted: object): readonly PathPart[] | undefined {
  const seen = new Set<object>();
  const open: { readonly x: unknown; readonly path: readonly PathPart[] }[] = [{ x: value, path: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { x, path } = next;
    if (x === wanted) return path;
    if (typeof x !== 'object' || x === null || seen.has(x)) continue;
    seen.add(x);
    for (const [part, child] of partsOf(x)) open.push({ x: child, path: part === undefined ? path : [...path, part] });
  }
  return undefined;
}

function partsOf(x: object): (readonly [PathPart | undefined, unknown])[] {
  if (x instanceof Stand) return [[undefined, x.content]];
  if (Array.isArray(x)) return x.map((item: unknown, i) => [i, item] as const);
  if (x instanceof Set) return [...x].map((item: unknown, i) => [i, item] as const);
  if (x instanceof Map)
    return [...x].flatMap(([key, item]: readonly [unknown, unknown], i) => {
      const part = typeof key === 'string' ? key : i;
      return [[part, key] as const, [part, item] as const];
    });
  if (ArrayBuffer.isView(x)) return [];
  return Object.getOwnPropertyNames(x).map((key) => [key, Reflect.get(x, key)] as const);
}
