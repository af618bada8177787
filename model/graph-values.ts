/** Values that a graph names, and the one that it gives. */
import { inputsOf, type Input, type WireGraph, type WireNode } from './graph.ts';
import type { Digest } from './ids.ts';
import type { ValueInfo } from './outcome.ts';

/** Digests that inputs name, wherever they stand. */
export function literalsOf(graph: WireGraph): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const inputs = (list: readonly Input[]): void => {
    for (const input of list) if (typeof input === 'object' && 'value' in input) found.add(input.value);
  };
  const nodes = (list: readonly WireNode[]): void => {
    for (const node of list) {
      inputs(inputsOf(node));
      if (node.kind === 'map') nodes(node.body.nodes);
    }
  };
  nodes(graph.nodes);
  inputs(graph.output.inputs);
  return found;
}

/** The value that a dispatch gives to the lattice around it. */
export function outputValue(
  graph: WireGraph,
  literals: readonly ValueInfo[],
  valueOf: (node: number) => ValueInfo | undefined,
): ValueInfo | undefined {
  const [output] = graph.output.inputs;
  if (typeof output === 'number') return valueOf(output);
  return output !== undefined && 'value' in output ? literals.find(({ digest }) => digest === output.value) : undefined;
}
