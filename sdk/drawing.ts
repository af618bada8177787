/** What is drawn of a transport graph, whatever the format: nodes with keys and labels, and edges between keys. */
import { inputsOf, type Input, type WireGraph, type WireNode } from '../model/graph.ts';
import type { ElectronStatus } from '../model/lifecycle.ts';
import { shownName } from './graph-view.ts';

export interface DrawnNode {
  /** Unique, made of letters, digits and `_`. */
  readonly key: string;
  readonly label: string;
  /** The lattice's result. */
  readonly round: boolean;
  readonly status: ElectronStatus | undefined;
  /** A map's. */
  readonly body: readonly DrawnNode[] | undefined;
}
export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  /** false: order only. */
  readonly data: boolean;
}
export interface Drawing {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}

const NO_STATUS = (): undefined => undefined;

class Draft {
  readonly edges: DrawnEdge[] = [];
  readonly #graph: WireGraph;

  constructor(graph: WireGraph) {
    this.#graph = graph;
  }

  /** `prefixes`: how keys begin in this scope and in those around it, innermost first. */
  scope(
    nodes: readonly WireNode[],
    prefixes: readonly string[],
    statusOf: (node: number) => ElectronStatus | undefined,
  ): DrawnNode[] {
    return nodes.map((node, id) => {
      const key = `${prefixes[0] ?? 'n'}${id}`;
      for (const before of node.after)
        this.edges.push({ from: `${prefixes[0] ?? 'n'}${before}`, to: key, data: false });
      const base = { key, round: false, status: statusOf(id) };
      if (node.kind === 'map') {
        this.#edge(node.over, prefixes, key);
        const body = this.scope(node.body.nodes, [`${key}_`, ...prefixes], NO_STATUS);
        return { ...base, label: `map ${node.name}`, body };
      }
      this.inputs(inputsOf(node), prefixes, key);
      const label =
        node.kind === 'lattice' ? `lattice ${node.name}` : shownName(this.#graph.electrons[node.electron]?.name ?? '?');
      return { ...base, label, body: undefined };
    });
  }

  inputs(inputs: readonly Input[], prefixes: readonly string[], to: string): void {
    for (const input of inputs) this.#edge(input, prefixes, to);
  }

  #edge(input: Input, prefixes: readonly string[], to: string): void {
    // Elements come from the map that is drawn around, and stored values from nowhere in the graph.
    if (typeof input === 'number') this.edges.push({ from: `${prefixes[0] ?? 'n'}${input}`, to, data: true });
    else if ('node' in input) this.edges.push({ from: `${prefixes[input.up] ?? 'n'}${input.node}`, to, data: true });
  }
}

/** `graph` as nodes and edges, its result last. */
export function drawing(graph: WireGraph, statusOf: (node: number) => ElectronStatus | undefined): Drawing {
  const draft = new Draft(graph);
  const nodes = draft.scope(graph.nodes, ['n'], statusOf);
  draft.inputs(graph.output.inputs, ['n'], 'result');
  if (graph.output.inputs.length > 0)
    nodes.push({ key: 'result', label: 'result', round: true, status: undefined, body: undefined });
  return { nodes, edges: draft.edges };
}
