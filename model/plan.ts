/**
 * The nodes of one dispatch as numbers: the graph's own nodes, then those that maps became (items × body nodes each), in the order of expansion.
 * Knows structure only; statuses and values are the lattice supervisor's.
 */
import { PolaronError } from './errors.ts';
import type { Input, WireGraph, WireNode } from './graph.ts';

/** A run of nodes that share one body: the graph itself (one item), or the items of one expanded map. */
export interface Region {
  readonly base: number;
  readonly items: number;
  readonly nodes: readonly WireNode[];
  /** Per body node: local indices of those that wait for it, and how many it waits for, within the scope. */
  readonly dependents: readonly (readonly number[])[];
  readonly parents: Uint32Array;
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
  | { readonly digest: string };

interface Links {
  readonly dependents: readonly (readonly number[])[];
  readonly parents: Uint32Array;
}

/** Nodes of its own scope that a node needs, those that its body reaches out for included. */
export function parentsOf(node: WireNode): Set<number> {
  const parents = new Set<number>(node.after);
  const visit = (inputs: readonly Input[], depth: number): void => {
    for (const input of inputs) {
      if (typeof input === 'number') {
        if (depth === 0) parents.add(input);
      } else if ('up' in input && input.up === depth) parents.add(input.node);
    }
  };
  const walk = (inner: WireNode, depth: number): void => {
    if (inner.kind === 'electron') visit(inner.inputs, depth);
    else {
      visit([inner.over], depth);
      for (const body of inner.body.nodes) walk(body, depth + 1);
    }
  };
  walk(node, 0);
  return parents;
}

function link(nodes: readonly WireNode[]): Links {
  const dependents: number[][] = nodes.map(() => []);
  const parents = new Uint32Array(nodes.length);
  nodes.forEach((node, local) => {
    const needed = parentsOf(node);
    parents[local] = needed.size;
    for (const parent of needed) dependents[parent]?.push(local);
  });
  return { dependents, parents };
}

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
  *dependentsOf(id: number): Iterable<number> {
    const { region, item, local } = this.place(id);
    const start = region.base + item * region.nodes.length;
    for (const dependent of region.dependents[local] ?? []) yield start + dependent;
  }

  /** The node that gives the item's value. */
  outputOf(region: Region, item: number): number {
    const { node } = this.place(region.map);
    return region.base + item * region.nodes.length + (node.kind === 'map' ? node.body.output : 0);
  }

  /** The electron's or map's own name. */
  plainNameOf(id: number): string {
    const { node } = this.place(id);
    return node.kind === 'map' ? node.name : (this.graph.electrons[node.electron]?.name ?? `#${id}`);
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

  #add(nodes: readonly WireNode[], items: number, map: number): Region {
    let links = this.#links.get(nodes);
    if (links === undefined) {
      links = link(nodes);
      this.#links.set(nodes, links);
    }
    const region: Region = { base: this.#size, items, nodes, ...links, map };
    this.#size += items * nodes.length;
    if (items > 0 && nodes.length > 0) this.#regions.push(region);
    if (map >= 0) this.#byMap.set(map, region);
    return region;
  }
}
