/** Graphs for tests of the lattice: short ways to write one, and random ones from a seed. */
import { digestOf } from '../../../bus/value/digest.ts';
import {
  DEFAULT_RETRY,
  NO_TIMEOUTS,
  type ElectronDef,
  type Input,
  type MapNode,
  type WireGraph,
  type WireNode,
} from '../../../model/graph.ts';
import type { ValueInfo } from '../../../model/outcome.ts';

export const def = (name: string, over: Partial<ElectronDef> = {}): ElectronDef => ({
  name,
  executor: 'process',
  needs: [],
  retries: DEFAULT_RETRY,
  timeouts: NO_TIMEOUTS,
  ...over,
});
export const template = new Uint8Array([0x90]);
export const electron = (index: number, inputs: readonly Input[] = [], after: readonly number[] = []): WireNode => ({
  kind: 'electron',
  electron: index,
  template,
  inputs,
  after,
});
export const map = (
  name: string,
  over: Input,
  nodes: readonly WireNode[],
  o: {
    readonly output?: number;
    readonly after?: readonly number[];
    readonly concurrency?: number;
    readonly collects?: boolean;
  } = {},
): MapNode => ({
  kind: 'map',
  name,
  over,
  after: o.after ?? [],
  concurrency: o.concurrency ?? 0,
  onItemError: o.collects === true ? 'collect' : 'fail',
  body: { nodes, output: o.output ?? nodes.length - 1 },
});
/** A lattice's node: `graph` is where its graph comes from. */
export const inner = (name: string, graph: Input, after: readonly number[] = []): WireNode => ({
  kind: 'lattice',
  name,
  graph,
  after,
});
export const graphOf = (
  names: readonly string[],
  nodes: readonly WireNode[],
  output: readonly Input[] = [nodes.length - 1],
): WireGraph => ({ electrons: names.map((name) => def(name)), nodes, output: { template, inputs: output } });

export const valueNamed = (name: string, length?: number): ValueInfo => ({
  digest: digestOf(Buffer.from(name)),
  size: 10,
  ...(length === undefined ? {} : { length }),
});

/** A small random generator: the same seed gives the same numbers. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A random graph of chains, diamonds, order edges, nested maps and inner lattices. Each of these has a name of its own. */
export function randomGraph(seed: number, size: number): WireGraph {
  const random = randomFrom(seed);
  const names: string[] = [];
  let maps = 0;
  let lattices = 0;
  const some = (below: number): number[] => {
    const found = new Set<number>();
    if (below > 0) for (let i = random(4); i > 0; i--) found.add(random(below));
    return [...found];
  };
  const scope = (count: number, outer: readonly number[]): WireNode[] => {
    const nodes: WireNode[] = [];
    for (let at = 0; at < count; at++) {
      const depth = outer.length;
      const sources = nodes.length;
      const outward = (): Input | undefined => {
        if (depth === 0) return undefined;
        const up = random(depth);
        const there = outer[depth - 1 - up] ?? 0;
        const kind = random(3);
        if (kind === 0) return { item: up };
        if (kind === 1) return { index: up };
        return there > 0 ? { up: up + 1, node: random(there) } : undefined;
      };
      if (depth < 3 && random(4) === 0 && (sources > 0 || depth > 0)) {
        const over: Input = sources > 0 && (depth === 0 || random(3) > 0) ? random(sources) : { item: random(depth) };
        nodes.push(
          map(`m${maps++}`, over, scope(1 + random(3), [...outer, sources]), {
            after: some(sources),
            concurrency: random(3),
            collects: random(3) === 0,
            output: 0,
          }),
        );
      } else if (sources > 0 && random(6) === 0) {
        nodes.push(inner(`l${lattices++}`, random(sources), some(sources)));
      } else {
        const reached = outward();
        nodes.push(
          electron(
            names.push(`e${names.length}`) - 1,
            [...some(sources), ...(reached === undefined ? [] : [reached])],
            some(sources),
          ),
        );
      }
    }
    // Any node may be what an item gives.
    return nodes;
  };
  const nodes = scope(Math.max(1, size), []);
  const output = some(nodes.length);
  return {
    ...graphOf(
      names,
      nodes.map((node) => withOutput(node, random)),
      output,
    ),
  };
}

function withOutput(node: WireNode, random: (below: number) => number): WireNode {
  if (node.kind !== 'map') return node;
  const nodes = node.body.nodes.map((inner) => withOutput(inner, random));
  return { ...node, body: { nodes, output: random(nodes.length) } };
}
