/**
 * An electron's definition as bytes. Thousands of dispatches carry the same few: each is encoded once per object, and decoded once per content,
 * so that definitions of equal content are one object to whoever reads many graphs.
 * Not here: what a definition may hold (wire-value.ts).
 */
import type { ElectronDef } from '../../model/graph.ts';
import { decodeBody, encodeBody } from '../codec.ts';
import { parseElectronDef } from './wire-value.ts';

/** Longer ones are decoded each time: what strangers send must not fill the memory. */
const LONGEST_KEPT = 4 * 1024;
const MOST_KEPT = 1_024;

const encoded = new WeakMap<ElectronDef, Uint8Array>();
const decoded = new Map<string, ElectronDef>();

/** The bytes of a definition, which must not change afterwards. */
export function encodeDefinition(definition: ElectronDef): Uint8Array {
  let bytes = encoded.get(definition);
  if (bytes === undefined) {
    bytes = Uint8Array.from(encodeBody(definition));
    encoded.set(definition, bytes);
  }
  return bytes;
}

/** The definition in these bytes: the same object for the same bytes, while it is kept. Raises BAD_MESSAGE. */
export function decodeDefinition(bytes: Uint8Array): ElectronDef {
  if (bytes.length > LONGEST_KEPT) return parseElectronDef(decodeBody(bytes));
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const known = decoded.get(key);
  if (known !== undefined) return known;
  // A copy: options may hold views of it, and what is kept must not hold the message.
  const definition = parseElectronDef(decodeBody(Uint8Array.from(bytes)));
  if (decoded.size >= MOST_KEPT) decoded.clear();
  decoded.set(key, definition);
  return definition;
}
