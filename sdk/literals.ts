/**
 * Large plain arguments of a trace: encoded once per object, kept by digest, and referred to by nodes instead of copied into each.
 *
 * L1. An object is read when it is first passed. One that is passed again is not read again, so it must not change in between: `verify`
 *     reads those once more at the end and refuses a changed one, since the second electron would silently have got the first content.
 * L2. Whatever holds a Ref stays in the node's template.
 */
import { valueInfoOf } from '../bus/value/digest.ts';
import { encodeValue } from '../bus/value/value.ts';
import { PolaronError } from '../model/errors.ts';
import type { Digest } from '../model/ids.ts';
import { holdsRef } from './refs.ts';

/** Bytes; an argument that is larger when encoded becomes a value of its own. */
export const LARGE_LITERAL = 16 * 1024;
/** A character is at most three bytes of UTF-8. */
const SHORT_TEXT = LARGE_LITERAL / 3;

interface Known {
  readonly digest: Digest;
  readonly where: string;
  uses: number;
}

export class Literals {
  /** Bytes by digest. */
  readonly values = new Map<Digest, Uint8Array>();
  #known: Map<object, Known> | undefined;

  /** The digest under which `arg` is kept; undefined when it is small or holds a Ref. Raises NOT_SERIALISABLE with `where`. */
  digestFor(arg: unknown, where: () => string): Digest | undefined {
    if (typeof arg === 'string') return arg.length > SHORT_TEXT ? this.#keep(arg, where()) : undefined;
    if (typeof arg !== 'object' || arg === null) return undefined;
    const known = this.#known?.get(arg);
    if (known !== undefined) {
      known.uses += 1;
      return known.digest;
    }
    if (roughBytes(arg) <= LARGE_LITERAL || holdsRef(arg)) return undefined;
    const place = where();
    const digest = this.#keep(arg, place);
    if (digest !== undefined) {
      this.#known ??= new Map();
      this.#known.set(arg, { digest, where: place, uses: 1 });
    }
    return digest;
  }

  /** Bytes that are encoded already. */
  keepBytes(bytes: Uint8Array): Digest {
    const { digest } = valueInfoOf(bytes);
    this.values.set(digest, bytes);
    return digest;
  }

  /** See L1. Raises NOT_SERIALISABLE. */
  verify(): void {
    for (const [object, { digest, where, uses }] of this.#known ?? []) {
      if (uses === 1 || valueInfoOf(encodeValue(object, where)).digest === digest) continue;
      throw new PolaronError(
        'NOT_SERIALISABLE',
        `${where}: the object was changed after it had been passed to an electron, and passed again. A large object is read once while a lattice is traced.`,
        { help: 'Pass a copy (structuredClone) for each content.' },
      );
    }
  }

  #keep(arg: unknown, where: string): Digest | undefined {
    const bytes = encodeValue(arg, where);
    if (bytes.byteLength <= LARGE_LITERAL) return undefined;
    const { digest } = valueInfoOf(bytes);
    this.values.set(digest, bytes);
    return digest;
  }
}

/** About how many bytes `x` takes when encoded, rather too many than too few; stops counting above the limit. */
function roughBytes(x: object): number {
  let bytes = 0;
  const seen = new Set<object>();
  const open: unknown[] = [x];
  while (open.length > 0 && bytes <= LARGE_LITERAL) {
    const next = open.pop();
    bytes += 9;
    if (typeof next === 'string') bytes += next.length * 3;
    else if (typeof next === 'bigint') bytes += next.toString(16).length;
    else if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    else {
      seen.add(next);
      bytes += sizeOrParts(next, open);
    }
  }
  return bytes;
}

/** Adds the parts of `x` to `open`, or says what it takes by itself; keys count here. */
function sizeOrParts(x: object, open: unknown[]): number {
  if (ArrayBuffer.isView(x) || x instanceof ArrayBuffer) return x.byteLength;
  if (Array.isArray(x) || x instanceof Set || x instanceof Map) {
    const count = Array.isArray(x) ? x.length : x.size;
    if (count > LARGE_LITERAL) return count;
    for (const part of x) open.push(part);
    return 0;
  }
  let keys = 0;
  for (const [key, value] of Object.entries(x)) {
    keys += key.length * 3 + 2;
    open.push(value);
  }
  return keys + (x instanceof Error ? (x.stack ?? '').length * 3 : 0);
}
