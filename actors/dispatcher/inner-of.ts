/** The dispatches of lattices inside one that can't go on, as its records tell. Not here: ending them (dispatcher.ts). */
import { innerIdOf } from '../../bus/inner-id.ts';
import type { LoadedDispatch } from '../../bus/protocol/results.ts';
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import type { DispatchId } from '../../model/ids.ts';
import { isTerminalElectron } from '../../model/lifecycle.ts';
import { Plan } from '../../model/plan.ts';

export function innerOf({ spec, graph, electrons, expansions }: LoadedDispatch): readonly DispatchId[] {
  const plan = new Plan(decodeGraph(graph));
  for (const { map, items } of expansions) plan.expand(map, items.length);
  return electrons.flatMap(([node, { status }]) =>
    !isTerminalElectron(status) && plan.place(node).node.kind === 'lattice'
      ? [innerIdOf(spec.id, plan.pathOf(node))]
      : [],
  );
}
