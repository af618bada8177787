import { describe, expect, it } from 'vitest';
import { PolaronError } from '../../model/errors.ts';
import { checkGraph, DEFAULT_GRAPH_LIMITS } from '../../model/graph-check.ts';
import {
  DEFAULT_RETRY,
  NO_TIMEOUTS,
  type ElectronDef,
  type Input,
  type WireGraph,
  type WireNode,
} from '../../model/graph.ts';

const def = (name: string): ElectronDef => ({
  name,
  executor: 'process',
  needs: [],
  retries: DEFAULT_RETRY,
  timeouts: NO_TIMEOUTS,
});
const template = new Uint8Array([0x90]);
const node = (inputs: readonly Input[] = [], after: readonly number[] = [], electron = 0): WireNode => ({
  kind: 'electron',
  electron,
  template,
  inputs,
  after,
});
const map = (over: Input, nodes: readonly WireNode[], output = 0, after: readonly number[] = []): WireNode => ({
  kind: 'map',
  name: 'sweep',
  over,
  after,
  concurrency: 0,
  onItemError: 'fail',
  body: { nodes, output },
});
const graph = (nodes: readonly WireNode[], inputs: readonly Input[] = []): WireGraph => ({
  electrons: [def('load'), def('train')],
  nodes,
  output: { template, inputs },
});
const refusal = (g: WireGraph, limits = DEFAULT_GRAPH_LIMITS): string => {
  try {
    checkGraph(g, limits);
  } catch (error) {
    if (error instanceof PolaronError && error.code === 'GRAPH_INVALID') return error.message;
    throw error;
  }
  return 'taken';
};

describe('checkGraph', () => {
  it('takes honest graphs, forward references without a cycle included', () => {
    expect(refusal(graph([]))).toBe('taken');
    expect(refusal(graph([node(), node([0], [0], 1), node([1, 0])], [2]))).toBe('taken');
    expect(refusal(graph([node([1]), node([2]), node()], [0]))).toBe('taken');
    const body = [node([{ item: 0 }, { up: 1, node: 0 }]), node([0, { index: 0 }])];
    expect(refusal(graph([node(), map(0, body, 1), node([1])], [2]))).toBe('taken');
    const inner = map({ item: 0 }, [node([{ item: 1 }, { index: 0 }, { up: 2, node: 0 }, { up: 1, node: 0 }])]);
    expect(refusal(graph([node(), map(0, [node(), inner], 1)], [1]))).toBe('taken');
  });

  it('names the nodes of a cycle', () => {
    expect(refusal(graph([node(), node([2], [], 1), node([1])]))).toMatch(
      /node [12] \(.*waits for itself: .*(1 \(train\) needs 2 \(load\) needs 1|2 \(load\) needs 1 \(train\) needs 2)/,
    );
    expect(refusal(graph([node([0])]))).toContain('node 0 (load): waits for itself');
    expect(refusal(graph([node([], [1]), node([0])]))).toContain('waits for itself');
    const deep = [node(), map(0, [node([1]), node([0])])];
    expect(refusal(graph(deep))).toContain('node 1 (map "sweep"), node ');
  });

  it('sees a cycle through a map whose body needs what waits for the map', () => {
    expect(refusal(graph([node(), map(0, [node([{ up: 1, node: 2 }])]), node([1])]))).toContain('waits for itself');
    expect(refusal(graph([node(), map(0, [node([{ up: 1, node: 1 }])])]))).toContain('waits for itself');
    const inner = map({ item: 0 }, [node([{ up: 2, node: 2 }])]);
    expect(refusal(graph([node(), map(0, [inner]), node([1])]))).toContain('waits for itself');
  });

  it('refuses a cycle of 300,000 nodes without running out of stack', () => {
    const size = 300_000;
    const ring = Array.from({ length: size }, (_, i) => node([(i + 1) % size]));
    expect(refusal(graph(ring))).toContain('waits for itself');
  });

  it('refuses nodes, electrons and scopes that are not there', () => {
    expect(refusal(graph([node([5])]))).toBe('graph: node 0 (load): input 5 is missing: the scope has 1 nodes');
    expect(refusal(graph([node(), node([], [2])]))).toContain('node 1 (load): after 2 is missing');
    expect(refusal(graph([node([], [], 9)]))).toContain('its electron is 9; there are 2');
    expect(refusal(graph([node([{ item: 0 }])]))).toContain('it is in 0 maps');
    expect(refusal(graph([node([{ up: 1, node: 0 }])]))).toContain('1 scopes out');
    expect(refusal(graph([node(), map(0, [node([{ up: 0, node: 0 }])])]))).toContain('0 scopes out');
    expect(refusal(graph([node(), map(0, [node([{ item: 1 }])])]))).toContain('it is in 1 maps');
    expect(refusal(graph([node(), map(0, [node([{ up: 1, node: 7 }])])]))).toContain('input 7 is missing');
    expect(refusal(graph([node(), map(0, [node()], 3)]))).toContain("body's output is node 3 of 1");
    expect(refusal(graph([node(), map(4, [node()])]))).toContain('input 4 is missing');
    expect(refusal(graph([node()], [1]))).toContain('output: input 1 is missing');
    expect(refusal(graph([node()], [{ item: 0 }]))).toContain('output');
  });

  it('refuses numbers that are none', () => {
    for (const x of [-1, 0.5, Number.NaN, Infinity]) {
      expect(refusal(graph([node(), node([x])]))).toContain('is missing');
      expect(refusal(graph([node(), node([], [x])]))).toContain('is missing');
      expect(refusal(graph([node([], [], x)]))).toContain('its electron is');
    }
  });

  it('keeps the limit on retries', () => {
    const asking = (max: number): WireGraph => {
      const one = def('load');
      return { ...graph([node()]), electrons: [{ ...one, retries: { ...one.retries, max } }] };
    };
    expect(refusal(asking(1_000))).toBe('taken');
    expect(refusal(asking(1_001))).toContain('electron "load": asks for 1001 retries; at most 1000');
  });

  it('keeps the limits on nodes, edges and depth, bodies included', () => {
    const small = { maxNodes: 10, maxEdges: 10, maxDepth: 2 };
    expect(
      refusal(
        graph([
          node(),
          map(
            0,
            Array.from({ length: 9 }, () => node()),
          ),
        ]),
        small,
      ),
    ).toContain('more than 10 nodes');
    expect(refusal(graph([node(), node(Array.from({ length: 11 }, () => 0))]), small)).toContain('more than 10 edges');
    let nested = map({ item: 0 }, [node()]);
    for (let i = 0; i < 2; i++) nested = map({ item: 0 }, [nested]);
    expect(refusal(graph([node(), map(0, [nested])]), small)).toContain('nested deeper than 2');
  });

  it('takes a million nodes in a few seconds', () => {
    const nodes = Array.from({ length: 1_000_000 }, (_, i) => node(i < 2 ? [] : [i - 1, i - 2]));
    const start = performance.now();
    expect(refusal(graph(nodes))).toBe('taken');
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
