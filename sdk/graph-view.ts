/**
 * The public view of a transport graph: nodes with readable arguments, Refs shown as `{ $ref, path }`.
 * Works on a traced graph and on one that was stored.
 */
import { decodeTemplate } from '../bus/value/template.ts';
import { IDENTITY_ELECTRON, type Input, type WireGraph, type WireNode } from '../model/graph.ts';
import type { Graph, GraphNode } from './types.ts';

/** A Ref in `args` or `output`: a node's id, `'item'`, `'index'` or `'value'` (a stored one, by digest), and the path into it. */
export interface GraphRef {
  $ref: number | 'item' | 'index' | 'value';
  path: (string | number)[];
  /** Scopes further out; absent: the same. */
  up?: number;
  digest?: string;
}

function shownInput(input: Input | undefined, path: readonly (string | number)[]): GraphRef | undefined {
  if (input === undefined) return undefined;
  const steps = [...path];
  if (typeof input === 'number') return { $ref: input, path: steps };
  if ('value' in input) return { $ref: 'value', digest: input.value, path: steps };
  if ('node' in input) return { $ref: input.node, path: steps, up: input.up };
  const [$ref, up] = 'item' in input ? (['item', input.item] as const) : (['index', input.index] as const);
  return up === 0 ? { $ref, path: steps } : { $ref, path: steps, up };
}

function shownTemplate(template: Uint8Array, inputs: readonly Input[]): unknown {
  try {
    return decodeTemplate(template, (input, path) => shownInput(inputs[input], path));
  } catch {
    // An argument of a class whose codec is registered only in the user's script.
    return undefined;
  }
}

function shownNode(graph: WireGraph, node: WireNode, id: number): GraphNode {
  const after = [...node.after];
  if (node.kind === 'map') {
    const { concurrency, onItemError } = node;
    return {
      id,
      kind: 'map',
      name: node.name,
      args: [shownInput(node.over, [])],
      after,
      options: { concurrency, onItemError },
      body: {
        nodes: node.body.nodes.map((n, i) => shownNode(graph, n, i)),
        output: { $ref: node.body.output, path: [] },
      },
    };
  }
  if (node.kind === 'lattice')
    return { id, kind: 'lattice', name: node.name, args: [shownInput(node.graph, [])], after };
  const { name, ...options } = graph.electrons[node.electron] ?? { name: '?' };
  return {
    id,
    kind: 'electron',
    name: shownName(name),
    args: shownTemplate(node.template, node.inputs),
    after,
    options,
  };
}

/** How a definition's name is shown: the identity electron's without the system's prefix. */
export const shownName = (name: string): string => (name === IDENTITY_ELECTRON ? 'identity' : name);

/** The public view of `graph`. */
export const graphView = (graph: WireGraph): Graph => ({
  nodes: graph.nodes.map((node, id) => shownNode(graph, node, id)),
  output: shownTemplate(graph.output.template, graph.output.inputs),
});
