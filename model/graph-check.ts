/**
 * Is a graph that came from outside well-formed? Time and memory grow linearly with nodes and edges, both limited; recursion goes over nested maps only.
 * Not here: its bytes (bus/protocol/wire-graph.ts), what the templates in it hold.
 */
import { checkNeeds } from './capability.ts';
import { PolaronError } from './errors.ts';
import { inputsOf, LONGEST_KEY, type Input, type MapNode, type WireGraph, type WireNode } from './graph.ts';
import { isDigest } from './ids.ts';
import { MOST_RETRIES } from './retry.ts';

export interface GraphLimits {
  /** Nodes, those in map bodies included. */
  readonly maxNodes: number;
  /** Inputs and `after` entries of all nodes. */
  readonly maxEdges: number;
  /** Maps inside maps. */
  readonly maxDepth: number;
}

export const DEFAULT_GRAPH_LIMITS: GraphLimits = { maxNodes: 2_000_000, maxEdges: 20_000_000, maxDepth: 16 };

/** The nodes of the graph, or of one map's body, while they are checked. */
interface Scope {
  readonly nodes: readonly WireNode[];
  /** Where it is, for messages: `` or `node 3 (map "sweep"), `. */
  readonly where: string;
  /** The node being checked. */
  at: number;
  /** Edges of body nodes to this scope's nodes: the map waits for them. Pairs from, to. */
  readonly fromBodies: number[];
}

/** Raises GRAPH_INVALID naming the node and what is wrong with it, `details` has `node` and `reason`; CAPABILITY_INVALID for what an electron needs. */
export function checkGraph(graph: WireGraph, limits: GraphLimits = DEFAULT_GRAPH_LIMITS): void {
  new GraphCheck(graph, limits).run();
}

class GraphCheck {
  readonly #graph: WireGraph;
  readonly #limits: GraphLimits;
  readonly #chain: Scope[] = [];
  #nodes = 0;
  #edges = 0;

  constructor(graph: WireGraph, limits: GraphLimits) {
    this.#graph = graph;
    this.#limits = limits;
  }

  run(): void {
    this.#graph.electrons.forEach((electron, i) => {
      if (typeof electron.name !== 'string' || electron.name === '') throw invalid(`electron ${i}`, 'has no name');
      checkNeeds(`graph: electron "${electron.name}"`, electron.needs);
      const { max } = electron.retries;
      if (max > MOST_RETRIES)
        throw invalid(`electron "${electron.name}"`, `asks for ${max} retries; at most ${MOST_RETRIES} are taken`);
      const { key: cacheKey = '' } = electron.cache ?? {};
      if (cacheKey.length > LONGEST_KEY)
        throw invalid(
          `electron "${electron.name}"`,
          `has a cache key of ${cacheKey.length} characters; at most ${LONGEST_KEY} are taken`,
        );
      const { key, limit } = electron.concurrency ?? { key: '', limit: 1 };
      if (limit < 1 || key.length > LONGEST_KEY)
        throw invalid(
          `electron "${electron.name}"`,
          `has a concurrency key of ${key.length} characters with the limit ${limit}; expected at most ${LONGEST_KEY}, and at least 1`,
        );
    });
    this.#checkScope(this.#graph.nodes, '');
    const { template, inputs } = this.#graph.output;
    if (!(template instanceof Uint8Array)) throw invalid('output', 'has no template');
    const scope: Scope = { nodes: this.#graph.nodes, where: '', at: -1, fromBodies: [] };
    this.#chain.push(scope);
    for (const input of inputs) this.#checkInput(input, scope, () => 'output');
  }

  #checkScope(nodes: readonly WireNode[], where: string): void {
    this.#nodes += nodes.length;
    if (this.#nodes > this.#limits.maxNodes) {
      throw invalid(where === '' ? 'graph' : where, `has more than ${this.#limits.maxNodes} nodes`);
    }
    if (this.#chain.length > this.#limits.maxDepth) {
      throw invalid(where, `maps are nested deeper than ${this.#limits.maxDepth}`);
    }
    const scope: Scope = { nodes, where, at: 0, fromBodies: [] };
    this.#chain.push(scope);
    // Edges that only point back can't close a cycle, and those of an honest graph do.
    let forward = false;
    for (; scope.at < nodes.length; scope.at++) {
      const node = nodes[scope.at];
      if (node === undefined) throw invalid(this.#name(scope), 'is missing');
      forward = this.#checkNode(node, scope) || forward;
    }
    const { fromBodies } = scope;
    for (let i = 0; i < fromBodies.length && !forward; i += 2)
      forward = (fromBodies[i] ?? 0) >= (fromBodies[i + 1] ?? 0);
    if (forward) this.#refuseCycle(scope);
    this.#chain.pop();
  }

  /** True when an edge of the same scope doesn't point back. */
  #checkNode(node: WireNode, scope: Scope): boolean {
    const name = (): string => this.#name(scope);
    let forward = false;
    this.#countEdges(node.after.length, name);
    for (const before of node.after) {
      this.#checkTarget(before, scope, name, 'after');
      if (before >= scope.at) forward = true;
    }
    if (node.kind === 'map') return this.#checkMap(node, scope, name) || forward;
    if (node.kind === 'lattice') {
      this.#checkInput(node.graph, scope, name);
      return (typeof node.graph === 'number' && node.graph >= scope.at) || forward;
    }
    if (!isIndex(node.electron, this.#graph.electrons.length)) {
      throw invalid(name(), `its electron is ${show(node.electron)}; there are ${this.#graph.electrons.length}`);
    }
    if (!(node.template instanceof Uint8Array)) throw invalid(name(), 'its template is not bytes');
    this.#countEdges(node.inputs.length, name);
    for (const input of node.inputs) {
      this.#checkInput(input, scope, name);
      if (typeof input === 'number' && input >= scope.at) forward = true;
    }
    return forward;
  }

  #checkMap(node: MapNode, scope: Scope, name: () => string): boolean {
    this.#checkInput(node.over, scope, name);
    if (!Number.isSafeInteger(node.concurrency) || node.concurrency < 0) {
      throw invalid(name(), `its concurrency is ${show(node.concurrency)}`);
    }
    if (!isIndex(node.body.output, node.body.nodes.length)) {
      throw invalid(name(), `its body's output is node ${show(node.body.output)} of ${node.body.nodes.length}`);
    }
    this.#checkScope(node.body.nodes, `${this.#name(scope)}, `);
    return typeof node.over === 'number' && node.over >= scope.at;
  }

  #checkInput(input: Input, scope: Scope, name: () => string): void {
    if (typeof input === 'number') {
      this.#checkTarget(input, scope, name, 'input');
      return;
    }
    if (typeof input !== 'object' || input === null) throw invalid(name(), `an input is ${show(input)}`);
    const depth = this.#chain.length - 1;
    if ('up' in input) {
      const outer = isIndex(input.up, depth + 1) && input.up > 0 ? this.#chain[depth - input.up] : undefined;
      if (outer === undefined) throw invalid(name(), `an input is ${show(input.up)} scopes out; it is ${depth} deep`);
      this.#checkTarget(input.node, outer, name, 'input');
      outer.fromBodies.push(input.node, outer.at);
    } else if ('value' in input) {
      if (!isDigest(input.value)) throw invalid(name(), `an input's value is ${show(input.value)}, not a digest`);
    } else {
      const up = 'item' in input ? input.item : input.index;
      if (!isIndex(up, depth)) {
        throw invalid(name(), `an input is the element of the map ${show(up)} scopes out; it is in ${depth} maps`);
      }
    }
  }

  #checkTarget(target: number, scope: Scope, name: () => string, what: string): void {
    if (!isIndex(target, scope.nodes.length)) {
      throw invalid(name(), `${what} ${show(target)} is missing: the scope has ${scope.nodes.length} nodes`);
    }
  }

  #countEdges(count: number, name: () => string): void {
    this.#edges += count;
    if (this.#edges > this.#limits.maxEdges)
      throw invalid(name(), `the graph has more than ${this.#limits.maxEdges} edges`);
  }

  /** Kahn's algorithm over the edges of one scope, those that its maps' bodies need included. */
  #refuseCycle(scope: Scope): void {
    const { nodes, fromBodies } = scope;
    const waitsFor = new Int32Array(nodes.length);
    const firstEdge = new Int32Array(nodes.length + 1);
    eachEdge(nodes, fromBodies, (from, to) => {
      waitsFor[to] = (waitsFor[to] ?? 0) + 1;
      firstEdge[from + 1] = (firstEdge[from + 1] ?? 0) + 1;
    });
    for (let i = 0; i < nodes.length; i++) firstEdge[i + 1] = (firstEdge[i + 1] ?? 0) + (firstEdge[i] ?? 0);
    const targets = new Int32Array(firstEdge[nodes.length] ?? 0);
    const next = firstEdge.slice();
    eachEdge(nodes, fromBodies, (from, to) => {
      const slot = next[from] ?? 0;
      targets[slot] = to;
      next[from] = slot + 1;
    });
    const queue = new Int32Array(nodes.length);
    let queued = 0;
    for (let i = 0; i < nodes.length; i++) if (waitsFor[i] === 0) queue[queued++] = i;
    for (let done = 0; done < queued; done++) {
      const from = queue[done] ?? 0;
      for (let e = firstEdge[from] ?? 0; e < (firstEdge[from + 1] ?? 0); e++) {
        const to = targets[e] ?? 0;
        const left = (waitsFor[to] ?? 0) - 1;
        waitsFor[to] = left;
        if (left === 0) queue[queued++] = to;
      }
    }
    if (queued === nodes.length) return;
    const cycle = findCycle(nodes, fromBodies, waitsFor);
    scope.at = cycle[0] ?? 0;
    const names = cycle.slice(0, 8).map((i) => `${i} (${this.#label(nodes[i])})`);
    if (cycle.length > 8) names.push('…');
    throw invalid(
      this.#name(scope),
      `waits for itself: ${names.join(' needs ')}${cycle.length > 8 ? '' : ` needs ${cycle[0]}`}`,
    );
  }

  #name(scope: Scope): string {
    return `${scope.where}node ${scope.at} (${this.#label(scope.nodes[scope.at])})`;
  }

  #label(node: WireNode | undefined): string {
    if (node === undefined) return 'nothing';
    if (node.kind !== 'electron') return `${node.kind} "${node.name.slice(0, 60)}"`;
    return (this.#graph.electrons[node.electron]?.name ?? 'unknown electron').slice(0, 60);
  }
}

function eachEdge(
  nodes: readonly WireNode[],
  fromBodies: readonly number[],
  edge: (from: number, to: number) => void,
): void {
  nodes.forEach((node, to) => {
    for (const from of node.after) edge(from, to);
    for (const input of inputsOf(node)) if (typeof input === 'number') edge(input, to);
  });
  for (let i = 0; i < fromBodies.length; i += 2) edge(fromBodies[i] ?? 0, fromBodies[i + 1] ?? 0);
}

/** Every node left over has one left over that it needs: going back from any of them meets a node again. */
function findCycle(nodes: readonly WireNode[], fromBodies: readonly number[], waitsFor: Int32Array): readonly number[] {
  const needs = new Int32Array(nodes.length).fill(-1);
  let start = 0;
  eachEdge(nodes, fromBodies, (from, to) => {
    if ((waitsFor[from] ?? 0) > 0 && (waitsFor[to] ?? 0) > 0) {
      needs[to] = from;
      start = to;
    }
  });
  const seenAt = new Map<number, number>();
  const walk: number[] = [];
  let at = start;
  while (at >= 0 && !seenAt.has(at)) {
    seenAt.set(at, walk.length);
    walk.push(at);
    at = needs[at] ?? -1;
  }
  return walk.slice(seenAt.get(at) ?? 0);
}

const isIndex = (x: unknown, count: number): boolean =>
  typeof x === 'number' && Number.isSafeInteger(x) && x >= 0 && x < count;

const show = (x: unknown): string =>
  typeof x === 'number' || typeof x === 'string' ? String(x).slice(0, 80) : typeof x;

const invalid = (node: string, reason: string): PolaronError =>
  new PolaronError('GRAPH_INVALID', `graph: ${node}: ${reason}`, { details: { node, reason } });
