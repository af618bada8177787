/**
 * What is drawn of a transport graph, whatever the format: nodes with keys, names and statuses, and edges between keys.
 * Not here: making it small enough (fold.ts), and how a node looks (look.ts).
 */
import type { ElectronDef, Input, LatticeNode, MapNode, WireGraph, WireNode } from '../../model/graph.ts';
import { shownName } from '../graph-view.ts';
import { DEFAULT_EXECUTOR } from '../../model/executor-choice.ts';
import { labelsOf } from './edge-label.ts';
import { totalOf, type Counts, type Seen } from './seen.ts';

export interface DrawnNode {
  /** Unique, made of letters, digits and `_`; that of a node in a map's body begins with the map's. */
  readonly key: string;
  /** `result`: the lattice's; `rest`: what is left out. */
  readonly kind: 'electron' | 'map' | 'lattice' | 'result' | 'rest';
  readonly name: string;
  /** Small print: executor, needs. */
  readonly notes: readonly string[];
  /** How many it stands for; 'n': as many as the map's array will have. */
  readonly runs: number | 'n';
  /** Electrons per status; empty before a dispatch. */
  readonly counts: Counts;
  /** A lattice's own, when it has begun. */
  readonly dispatch?: string;
  /** A map's. */
  readonly body?: readonly DrawnNode[];
}
export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  /** false: order only. */
  readonly data: boolean;
  /** What of the one value goes where in the other's arguments. */
  readonly labels: readonly string[];
}
export interface Drawing {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}
/** A drawing with what stands around it. */
export interface Picture extends Drawing {
  readonly title: string;
  /** Of a dispatch: its id and status. */
  readonly subtitle?: string;
  /** From left to right, instead of downwards. */
  readonly across: boolean;
  /** Of all electrons, those that aren't drawn too. */
  readonly totals: Counts;
}

class Draft {
  readonly edges: DrawnEdge[] = [];
  readonly #graph: WireGraph;
  readonly #seen: Seen | undefined;

  constructor(graph: WireGraph, seen: Seen | undefined) {
    this.#graph = graph;
    this.#seen = seen;
  }

  /** `prefixes`: how keys begin in this scope and in those around it, innermost first. */
  scope(nodes: readonly WireNode[], prefixes: readonly string[], runs: DrawnNode['runs']): DrawnNode[] {
    const drawers = drawersOf(nodes);
    return nodes.flatMap((node, id) => {
      // What draws a lattice on an agent is one with it.
      const drawn = drawers.get(id);
      const key = `${prefixes[0]}${drawn ?? id}`;
      for (const before of node.after) this.#edge(before, prefixes, key, false);
      if (node.kind === 'map') return [this.#map(node, key, prefixes)];
      if (node.kind === 'lattice')
        return [this.#lattice(node, key, `${prefixes[0]}${JSON.stringify(node.graph)}`, runs)];
      this.inputs(node.inputs, prefixes, key, labelsOf(node.template, 'arguments'));
      if (drawn !== undefined) return [];
      const electron = this.#graph.electrons[node.electron];
      const counts = this.#seen?.counts(key) ?? {};
      return [
        { key, kind: 'electron', name: shownName(electron?.name ?? '?'), notes: notesOf(electron), runs, counts },
      ];
    });
  }

  #map(node: MapNode, key: string, prefixes: readonly string[]): DrawnNode {
    this.#edge(node.over, prefixes, key, true);
    const notes = [node.concurrency > 0 ? `map, ${node.concurrency} at once` : 'map'];
    const runs = this.#seen?.items(key) ?? 'n';
    const body = this.scope(node.body.nodes, [`${key}_`, ...prefixes], runs);
    const own = this.#seen?.counts(key) ?? {};
    // The hub has no record of a map before it has ended.
    const counts: Counts = runs !== 'n' && own.waiting === 1 && totalOf(own) === 1 ? { running: 1 } : own;
    return { key, kind: 'map', name: node.name, notes, runs, counts, body };
  }

  /** Until it is drawn, or when that failed, it stands as its drawer does. */
  #lattice({ name }: LatticeNode, key: string, drawer: string, runs: DrawnNode['runs']): DrawnNode {
    const own = this.#seen?.counts(key) ?? {};
    const begun = hasBegun(own);
    const counts = begun ? own : (this.#seen?.counts(drawer) ?? own);
    const dispatch = this.#seen?.dispatch(key);
    const notes = ['lattice'];
    return { key, kind: 'lattice', name, notes, runs, counts, ...(dispatch !== undefined && { dispatch }) };
  }

  inputs(inputs: readonly Input[], prefixes: readonly string[], to: string, labels: Labels): void {
    for (const [i, input] of inputs.entries()) this.#edge(input, prefixes, to, true, labels.get(i));
  }

  #edge(input: Input, prefixes: readonly string[], to: string, data: boolean, labels: readonly string[] = []): void {
    // Elements come from the map that is drawn around, and stored values from nowhere in the graph.
    if (typeof input === 'number') this.edges.push({ from: `${prefixes[0]}${input}`, to, data, labels });
    else if ('node' in input) this.edges.push({ from: `${prefixes[input.up]}${input.node}`, to, data, labels });
  }
}

/** Nodes that draw a lattice on an agent, and the node that is it. */
function drawersOf(nodes: readonly WireNode[]): ReadonlyMap<number, number> {
  const drawers = new Map<number, number>();
  for (const [id, node] of nodes.entries())
    if (node.kind === 'lattice' && typeof node.graph === 'number' && nodes[node.graph]?.kind === 'electron')
      drawers.set(node.graph, id);
  return drawers;
}

/** One lattice at least got further than waiting for what it is. */
function hasBegun(counts: Counts): boolean {
  const { waiting: _, skipped: __, ...others } = counts;
  return totalOf(others) > 0;
}

type Labels = ReturnType<typeof labelsOf>;

function notesOf(electron: ElectronDef | undefined): readonly string[] {
  if (electron === undefined) return [];
  const { executor, needs } = electron;
  const notes = executor === DEFAULT_EXECUTOR ? [] : [`on ${executor}`];
  return needs.length === 0 ? notes : [...notes, `needs ${needs.join(', ')}`];
}

/** `graph` as nodes and edges, its result last. */
export function drawing(graph: WireGraph, seen?: Seen): Drawing {
  const draft = new Draft(graph, seen);
  const nodes = draft.scope(graph.nodes, ['n'], 1);
  const { template, inputs } = graph.output;
  draft.inputs(inputs, ['n'], 'result', labelsOf(template, 'output'));
  if (inputs.length > 0) nodes.push({ key: 'result', kind: 'result', name: 'result', notes: [], runs: 1, counts: {} });
  return { nodes, edges: draft.edges };
}
