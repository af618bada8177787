/** A transport graph without code and templates, for `graph --json`. Drawing is the SDK's (sdk/draw.ts). */
import type { GraphView, GraphViewNode } from '../bus/protocol/api.ts';
import type { Input, WireGraph, WireNode } from '../model/graph.ts';

export const viewOf = (graph: WireGraph): GraphView => ({ nodes: nodesOf(graph, graph.nodes) });

const nodesOf = (graph: WireGraph, nodes: readonly WireNode[]): readonly GraphViewNode[] =>
  nodes.map((node, id) => nodeOf(graph, node, id));

function nodeOf(graph: WireGraph, node: WireNode, id: number): GraphViewNode {
  const { kind, after } = node;
  if (node.kind === 'electron') {
    return { id, kind, name: graph.electrons[node.electron]?.name ?? '?', inputs: node.inputs, after };
  }
  const inputs: readonly Input[] = [node.over];
  return { id, kind, name: node.name, inputs, after, body: { nodes: nodesOf(graph, node.body.nodes) } };
}
