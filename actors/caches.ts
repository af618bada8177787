/** The hub's memory of late: small values and small graphs. Bounded; what isn't there is read from the store. */
import type { WireGraph } from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';
import { Recent } from '../model/recent.ts';
import type { GraphCache, ValueCache } from './services.ts';

const MOST_GRAPHS = 512;
/** Larger ones are seldom, and would hold much. */
const LARGEST_CACHED_NODES = 1_000;

/** Keeps the last few hundred small graphs. */
export function graphCache(): GraphCache {
  const held = new Recent<Digest, WireGraph>(MOST_GRAPHS);
  return {
    get: (digest) => held.get(digest),
    put(digest, graph) {
      if (graph.nodes.length <= LARGEST_CACHED_NODES) held.set(digest, graph);
    },
  };
}

const SLAB_BYTES = 64 * 1024;
/** Dependents come soon. More small values would only be looked at again and again by the garbage collector. */
const MOST_VALUES = 8_192;

/**
 * The bytes-bounded cache. The older half goes first. It keeps copies: what came in a message is a view that would hold the whole message. Small values lie
 * together in slabs, which go as their values do.
 */
export function valueCache(maxBytes: number): ValueCache {
  const held = new Recent<Digest, Uint8Array>(MOST_VALUES);
  /** Bytes put in since the last turn: at half of what is allowed the older half goes. */
  let size = 0;
  let slab = new Uint8Array();
  let used = 0;
  const copy = (bytes: Uint8Array): Uint8Array => {
    if (bytes.byteLength > SLAB_BYTES / 16) return new Uint8Array(bytes);
    if (used + bytes.byteLength > slab.byteLength) {
      slab = new Uint8Array(SLAB_BYTES);
      used = 0;
    }
    const kept = slab.subarray(used, (used += bytes.byteLength));
    kept.set(bytes);
    return kept;
  };
  return {
    get: (digest) => held.get(digest),
    put(digest, bytes) {
      if (held.has(digest)) return;
      held.set(digest, copy(bytes));
      size += bytes.byteLength + 200;
      if (size <= maxBytes / 2) return;
      size = 0;
      held.turn();
    },
  };
}
