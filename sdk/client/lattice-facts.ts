/**
 * A dispatch's source and graph, fetched from the hub: both never change, so the last few are kept.
 * Not here: the graph's public shape (sdk/graph-view.ts).
 */
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import { PolaronError } from '../../model/errors.ts';
import { graphView } from '../graph-view.ts';
import type { Graph } from '../types.ts';
import type { Hub } from './hub.ts';
import type { Patience } from './patience.ts';
import type { LatticeFacts } from './result.ts';

const KEPT = 16;
const kept = new WeakMap<Hub, Map<string, Promise<LatticeFacts>>>();

/** Raises UNKNOWN_DISPATCH. Who asks while another does shares his patience. */
export function factsOf(hub: Hub, id: string, patience: Patience = {}): Promise<LatticeFacts> {
  const known = kept.get(hub) ?? new Map<string, Promise<LatticeFacts>>();
  kept.set(hub, known);
  const found = known.get(id);
  if (found !== undefined) return found;
  const facts = fetchFacts(hub, id, patience);
  known.set(id, facts);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(oldest);
  }
  facts.catch(() => known.delete(id));
  return facts;
}

async function fetchFacts(hub: Hub, id: string, patience: Patience): Promise<LatticeFacts> {
  const { dispatch } = await hub.api.snapshot({ id, limit: 1 }, patience);
  if (dispatch.graph === undefined) {
    throw new PolaronError('BAD_MESSAGE', `dispatch ${id}: the hub's snapshot has no graph`);
  }
  const bytes = await hub.blobs.fetch(dispatch.graph);
  return lazyFacts(dispatch.source ?? '', bytes);
}

/** The graph's view is made when it is first read. */
export function lazyFacts(source: string, encodedGraph: Uint8Array): LatticeFacts {
  let graph: Graph | undefined;
  return {
    source,
    get graph() {
      graph ??= graphView(decodeGraph(encodedGraph));
      return graph;
    },
  };
}
