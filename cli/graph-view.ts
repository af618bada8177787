/** A transport graph without code and templates, for `graph --json`. Drawing is the SDK's (sdk/draw.ts). */
import type { GraphView, GraphViewNode } from '../bus/protocol/api.ts';
import { inputsOf, type WireGraph, type WireNode } from '../model/graph.ts';

export const viewOf = (graph: WireGraph): GraphView => ({ nodes: nodesOf(graph, graph.nodes) });

const nodesOf = (graph: WireGraph, nodes: readonly WireNode[]): readonly GraphViewNode[] =>
  nodes.map((node, id) => nodeOf(graph, node, id));

function nodeOf(graph: WireGraph, node: WireNode, id: number): GraphViewNode {
  const { kind, after } = node;
  const name = node.kind === 'electron' ? (graph.electrons[node.electron]?.name ?? '?') : node.name;
  const view = { id, kind, name, inputs: inputsOf(node), after };
  return node.kind === 'map' ? { ...view, body: { nodes: nodesOf(graph, node.body.nodes) } } : view;
}
