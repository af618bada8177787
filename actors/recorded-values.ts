/** A dispatch's values as its records tell them. Pure. Not here: reading the records (results-client.ts), what a running one knows (lattice/state.ts). */
import type { LoadedDispatch } from '../bus/protocol/results.ts';
import { decodeGraph } from '../bus/protocol/wire-graph.ts';
import type { KnownValues } from '../bus/reuse-key.ts';
import { hasValue } from '../model/lifecycle.ts';
import type { ValueInfo } from '../model/outcome.ts';
import { Plan } from '../model/plan.ts';

/** `nodes`: those that have one. Raises BAD_MESSAGE when the graph can't be read. */
export function valuesOf(loaded: LoadedDispatch): KnownValues & { readonly nodes: Iterable<number> } {
  const plan = new Plan(decodeGraph(loaded.graph));
  const items = new Map<number, readonly ValueInfo[]>();
  for (const expansion of loaded.expansions) {
    plan.expand(expansion.map, expansion.items.length);
    items.set(expansion.map, expansion.items);
  }
  const values = new Map<number, ValueInfo>();
  for (const [node, { status, value }] of loaded.electrons)
    if (value !== undefined && hasValue(status)) values.set(node, value);
  return {
    plan,
    nodes: values.keys(),
    value: (node) => values.get(node),
    item: (map, item) => items.get(map)?.[item],
  };
}
