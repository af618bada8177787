/**
 * The nodes of one dispatch as numbers: the graph's own nodes, then those that maps became (items × body nodes each), in the order of expansion.
 * Knows structure only; statuses and values are the lattice supervisor's.
 */
import { PolaronError } from './errors.ts';
import { inputsOf, type Input, type WireGraph, type WireNode } from './graph.ts';
import type { Digest } from './ids.ts';

/** A run of nodes that share one body: the graph itself (one item), or the items of one expanded map. */
export interface Region {
  readonly base: number;
  readonly items: number;
  readonly nodes: readonly WireNode[];
  readonly links: Links;
  /** Node id of the map; -1 for the graph. */
  readonly map: number;
}

/** One node in its place. */
export interface Place {
  readonly region: Region;
  readonly item: number;
  readonly local: number;
  readonly node: WireNode;
}

/** What an input of a node stands for. */
export type Source =
  | { readonly node: number }
  | { readonly map: number; readonly item: number }
  | { readonly index: number }
  | { readonly digest: Digest };

/** Who waits for whom among the nodes of one scope, as local indices. */
interface Links {
  /** Per node: how many nodes it waits for. */
  readonly parents: Uint32Array;
  /** Those that wait for node `i` are `dependents[starts[i]]` up to `dependents[starts[i + 1]]`. */
  readonly starts: Uint32Array;
  readonly dependents: Uint32Array;
}

/** Visits the nodes of its own scope that a node needs, those that its body reaches out for included; one may come twice. */
function eachParent(node: WireNode, visit: (parent: number) => void): void {
  for (const parent of node.after) visit(parent);
  eachInput(node, 0, visit);
}

function eachInput(node: WireNode, depth: number, visit: (parent: number) => void): void {
  for (const input of inputsOf(node)) {
    if (typeof input === 'number') {
      if (depth === 0) visit(input);
    } else if ('up' in input && input.up === depth) visit(input.node);
  }
  if (node.kind === 'map') for (const inner of node.body.nodes) eachInput(inner, depth + 1, visit);
}

/** Two passes, one to count and one to fill: a graph of 100,000 nodes makes no 100,000 small arrays. */
function link(nodes: readonly WireNode[]): Links {
  const count = nodes.length;
  const parents = new Uint32Array(count);
  const starts = new Uint32Array(count + 1);
  /** The last node that named this one as a parent: each counts once. */
  const seenBy = new Int32Array(count).fill(-1);
  const eachEdge = (pass: number, found: (parent: number, local: number) => void): void => {
    let local = 0;
    const visit = (parent: number): void => {
      const mark = pass * count + local;
      if (parent >= count || seenBy[parent] === mark) return;
      seenBy[parent] = mark;
      found(parent, local);
    };
    for (; local < count; local++) {
      const node = nodes[local];
      if (node !== undefined) eachParent(node, visit);
    }
  };
  const add = (array: Uint32Array, at: number, by: number): number => (array[at] = (array[at] ?? 0) + by);
  let edges = 0;
  eachEdge(0, (parent, local) => {
    edges++;
    add(parents, local, 1);
    add(starts, parent + 1, 1);
  });
  for (let i = 0; i < count; i++) add(starts, i + 1, starts[i] ?? 0);
  const dependents = new Uint32Array(edges);
  const next = starts.slice(0, count);
  eachEdge(1, (parent, local) => {
    dependents[add(next, parent, 1) - 1] = local;
  });
  return { parents, starts, dependents };
}

const NONE = new Uint32Array();

export class Plan {
  readonly graph: WireGraph;
  readonly #regions: Region[] = [];
  readonly #byMap = new Map<number, Region>();
  readonly #links = new Map<readonly WireNode[], Links>();
  readonly #root: Region;
  #size = 0;

  constructor(graph: WireGraph) {
    this.graph = graph;
    this.#root = this.#add(graph.nodes, 1, -1);
  }

  /** Nodes so far. */
  get size(): number {
    return this.#size;
  }

  /** The region of the graph's own nodes. */
  root(): Region {
    return this.#root;
  }

  regionOf(map: number): Region | undefined {
    return this.#byMap.get(map);
  }

  /** Makes a map's nodes: `items` runs of its body, from the next free id on. */
  expand(map: number, items: number): Region {
    const { node } = this.place(map);
    if (node.kind !== 'map') throw new PolaronError('GRAPH_INVALID', `node ${map} is no map and can't be expanded`);
    return this.#add(node.body.nodes, items, map);
  }

  place(id: number): Place {
    let low = 0;
    let high = this.#regions.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#regions[middle]?.base ?? 0) <= id) low = middle;
      else high = middle - 1;
    }
    const region = this.#regions[low];
    const width = region?.nodes.length ?? 0;
    const offset = id - (region?.base ?? 0);
    const node = region?.nodes[offset % width];
    if (region === undefined || node === undefined || id >= this.#size)
      throw new PolaronError('GRAPH_INVALID', `there is no node ${id}`);
    return { region, item: Math.floor(offset / width), local: offset % width, node };
  }

  /** What `input` of the node at `place` stands for. */
  source(place: Place, input: Input): Source {
    if (typeof input === 'number') return { node: place.region.base + place.item * place.region.nodes.length + input };
    if ('value' in input) return { digest: input.value };
    const outer = (up: number): Place => {
      let at = place;
      for (let i = 0; i < up; i++) at = this.place(at.region.map);
      return at;
    };
    if ('up' in input) {
      const at = outer(input.up);
      return { node: at.region.base + at.item * at.region.nodes.length + input.node };
    }
    if ('item' in input) {
      const at = outer(input.item);
      return { map: at.region.map, item: at.item };
    }
    return { index: outer(input.index).item };
  }

  /** Ids of the nodes that wait for this one, within its item. */
  dependentsOf(id: number): Uint32Array {
    const { region, item, local } = this.place(id);
    const { starts, dependents } = region.links;
    const [from, to] = [starts[local] ?? 0, starts[local + 1] ?? 0];
    if (from === to) return NONE;
    const first = region.base + item * region.nodes.length;
    const found = dependents.subarray(from, to);
    return first === 0 ? found : found.map((dependent) => first + dependent);
  }

  /** The node that gives the item's value. */
  outputOf(region: Region, item: number): number {
    const { node } = this.place(region.map);
    return region.base + item * region.nodes.length + (node.kind === 'map' ? node.body.output : 0);
  }

  /** The electron's, map's or lattice's own name. */
  plainNameOf(id: number): string {
    const { node } = this.place(id);
    return node.kind === 'electron' ? (this.graph.electrons[node.electron]?.name ?? `#${id}`) : node.name;
  }

  /** Human name: the electron's, with the positions of the maps around it. */
  nameOf(id: number): string {
    let at = this.place(id);
    const name = this.plainNameOf(id);
    let positions = '';
    while (at.region.map >= 0) {
      positions = `[${at.item}]${positions}`;
      at = this.place(at.region.map);
    }
    return name + positions;
  }

  /**
   * Names the node by where it stands in the graph: `4`, `2[3].0` for node 0 of the body of node 2's item 3. A number may become another node's when
   * a crash undid the expansion of a map; this never does.
   */
  pathOf(id: number): string {
    let at = this.place(id);
    let path = String(at.local);
    while (at.region.map >= 0) {
      const { item } = at;
      at = this.place(at.region.map);
      path = `${at.local}[${item}].${path}`;
    }
    return path;
  }

  #add(nodes: readonly WireNode[], items: number, map: number): Region {
    let links = this.#links.get(nodes);
    if (links === undefined) {
      links = link(nodes);
      this.#links.set(nodes, links);
    }
    const region: Region = { base: this.#size, items, nodes, links, map };
    this.#size += items * nodes.length;
    if (items > 0 && nodes.length > 0) this.#regions.push(region);
    if (map >= 0) this.#byMap.set(map, region);
    return region;
  }
}
