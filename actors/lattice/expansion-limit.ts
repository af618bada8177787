/** Whether a map may become so many nodes: what a graph may not have when it is submitted it may not grow to either. Pure. */
import { DEFAULT_GRAPH_LIMITS } from '../../model/graph-check.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { Plan } from '../../model/plan.ts';
import { mapLabel } from './not-an-array.ts';

/** Why not; undefined: it may. */
export function tooManyItems(
  plan: Plan,
  map: number,
  items: number,
  limit = DEFAULT_GRAPH_LIMITS.maxNodes,
): ErrorInfo | undefined {
  const { node } = plan.place(map);
  const nodes = node.kind === 'map' ? items * node.body.nodes.length : 0;
  if (plan.size + nodes <= limit) return undefined;
  return {
    code: 'GRAPH_INVALID',
    message: `${mapLabel(plan, map)}: ${items} items would make the lattice ${plan.size + nodes} nodes; at most ${limit} are taken. Give each item more to do`,
  };
}
