/**
 * Manifests and definitions of electrons inside a graph or an `assign`: bytes of their own, since the same ones are sent again and again. Each is encoded once
 * per object and decoded once per content, as far as it is small, so that equal ones are one object to whoever reads many. Not here: their shapes
 * (wire-agent.ts, wire-value.ts).
 */
import { decodeBody, encodeBody } from '../codec.ts';
import type { ElectronDef } from '../../model/graph.ts';
import type { Assign, Manifest } from './agent.ts';
import { parseElectronDef } from './wire-value.ts';

type Part = Manifest | ElectronDef;

/** Larger parts are decoded each time: what strangers send must not fill the memory. */
const LARGEST_KEPT = 4 * 1024;
const MOST_KEPT = 1_024;

/** Manifests and electrons are the same objects in all attempts of a dispatch. */
const encoded = new WeakMap<Part, Uint8Array>();
/** The first of several equal definitions, by content: those of a dispatch are equal to those of the one before. */
const firsts = new Map<string, ElectronDef>();
const firstOf = new WeakMap<ElectronDef, ElectronDef>();

const keyOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** What travels of a part, which must not change afterwards. */
export function partBytes(part: Part): Uint8Array {
  let bytes = encoded.get(part);
  if (bytes === undefined) encoded.set(part, (bytes = Uint8Array.from(encodeBody(part))));
  return bytes;
}

/** One object for equal definitions, as far as they are remembered: so that a message names each once. */
export function sameElectron(electron: ElectronDef): ElectronDef {
  const known = firstOf.get(electron);
  if (known !== undefined) return known;
  const bytes = partBytes(electron);
  let first = electron;
  if (bytes.length <= LARGEST_KEPT) {
    const key = keyOf(bytes);
    first = firsts.get(key) ?? electron;
    if (first === electron) keep(firsts, key, electron);
  }
  firstOf.set(electron, first);
  return first;
}

/** An assign as it travels. */
export function packAssign(assign: Pick<Assign, 'manifests' | 'electrons'>): object {
  return { ...assign, manifests: assign.manifests.map(partBytes), electrons: assign.electrons.map(partBytes) };
}

/** A reader of parts that remembers what it has read. `decode` raises BAD_MESSAGE. */
export function partReader<T>(decode: (bytes: Uint8Array) => T): (bytes: Uint8Array) => T {
  const known = new Map<string, T>();
  return (bytes) => {
    if (bytes.length > LARGEST_KEPT) return decode(bytes);
    const key = keyOf(bytes);
    let part = known.get(key);
    if (part === undefined) {
      // a copy: it may keep views of its bytes, and the message is larger
      part = decode(bytes.slice());
      keep(known, key, part);
    }
    return part;
  };
}

function keep<T>(map: Map<string, T>, key: string, part: T): void {
  if (map.size >= MOST_KEPT) map.clear();
  map.set(key, part);
}

/** The definition in these bytes. Raises BAD_MESSAGE. */
export const readElectron = partReader((bytes) => parseElectronDef(decodeBody(bytes)));
