/**
 * Writes a message's body as MessagePack: plain data, nothing else. A class of JavaScript's own that would arrive empty is refused; what the
 * receiver may take is wire-reader.ts. Our own instead of msgpackr's: most messages are small and each process sends few kinds, so that what
 * counts is how little is executed for one, cold code included.
 * Not here: the envelope (codec.ts), user values (value/value-writer.ts).
 */
import { PolaronError } from '../model/errors.ts';
import type { ByteWriter } from './byte-writer.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** As deep as what is read may be, and more; a cycle ends here. */
const DEEPEST = 500;

/** Raises BAD_MESSAGE for what MessagePack can't hold. Functions and symbols become undefined. */
export function writeBody(out: ByteWriter, x: unknown, depth = 0): void {
  switch (typeof x) {
    case 'string':
      out.text(x);
      return;
    case 'number':
      out.number(x);
      return;
    case 'boolean':
      out.byte(x ? 0xc3 : 0xc2);
      return;
    case 'object':
      if (x === null) out.byte(0xc0);
      else if (x instanceof Uint8Array) out.binary(x);
      else writeObject(out, x, depth);
      return;
    case 'bigint':
      if (x < INT64_MIN || x > INT64_MAX) throw unfit('a bigint beyond 64 bits');
      out.int64(x);
      return;
    case 'undefined':
    case 'function':
    case 'symbol':
      out.undefined();
  }
}

function writeObject(out: ByteWriter, x: object, depth: number): void {
  if (depth > DEEPEST) throw unfit(`objects nested deeper than ${DEEPEST}`);
  if (Array.isArray(x)) {
    const { length } = x;
    out.array(length);
    for (let i = 0; i < length; i++) writeBody(out, x[i], depth + 1);
    return;
  }
  if (x instanceof Date || x instanceof Map || x instanceof Set || ArrayBuffer.isView(x) || x instanceof ArrayBuffer) {
    throw unfit(`a ${x.constructor.name}`);
  }
  const keys = Object.keys(x);
  out.map(keys.length);
  for (const key of keys) {
    out.text(key);
    writeBody(out, Reflect.get(x, key), depth + 1);
  }
}

const unfit = (what: string): PolaronError =>
  new PolaronError('BAD_MESSAGE', `${what} can't be sent in a message: send plain data`);
