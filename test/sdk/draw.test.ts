/** Pictures and the public view of a graph, from a trace and from its stored bytes. */
/* oxlint-disable typescript/no-non-null-assertion -- an element of a Ref is always there; noUncheckedIndexedAccess can't know */
import { describe, expect, test } from 'vitest';
import { decodeGraph, encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { after } from '../../sdk/after.ts';
import { drawGraph } from '../../sdk/draw.ts';
import { electron } from '../../sdk/electron.ts';
import { graphView } from '../../sdk/graph-view.ts';
import { lattice } from '../../sdk/lattice.ts';
import { traceLattice } from '../../sdk/trace.ts';
import type { DrawFormat } from '../../sdk/types.ts';

const load = electron({ name: 'load "x" <b>' }, (path: string) => [path.length]);
const fit = electron({ name: 'fit', retries: 1 }, (n: number, extra: unknown) => [n, extra]);
const done = electron({ name: 'done' }, () => 1);
const pipeline = lattice({ name: 'pipeline' }, (path: string) => {
  const data = load(path);
  const base = done();
  const fits = data.map((n, i) => fit(n, { i, base }));
  after(fits, () => done());
  return { fits, first: fits[0]! };
});
const stored = () => decodeGraph(encodeGraph(traceLattice(pipeline, ['p']).graph));

test('mermaid', () => {
  expect(pipeline.draw('mermaid', 'p')).toBe(`flowchart TD
  n0["load #34;x#34; #60;b#62;"]
  n1["done"]
  subgraph n2["map fit"]
    n2_0["fit"]
  end
  n3["done"]
  result(["result"])
  n0 --> n2
  n1 --> n2_0
  n2 -.-> n3
  n2 --> result
`);
});

test('dot', () => {
  expect(pipeline.draw('dot', 'p')).toBe(`digraph lattice {
  compound=true;
  node [shape=box, style="rounded,filled", fillcolor=white];
  n0 [label="load \\"x\\" <b>"];
  n1 [label="done"];
  subgraph cluster_n2 {
    label="map fit";
    n2 [shape=point, label=""];
    n2_0 [label="fit"];
  }
  n3 [label="done"];
  result [label="result", shape=oval];
  n0 -> n2;
  n1 -> n2_0;
  n2 -> n3 [style=dashed];
  n2 -> result;
}
`);
});

test('svg: every node has a box, layers go down, and names are escaped', () => {
  const svg = pipeline.draw('svg', 'p');
  expect(svg.match(/<rect /g)).toHaveLength(5);
  expect(svg).toContain('<text x="104" y="48" text-anchor="middle">load &#34;x&#34; &#60;b&#62;</text>');
  expect(svg).toContain('map fit (1 node)');
  expect(svg).toContain('stroke-dasharray');
  expect(svg).not.toContain('<b>');
  const ys = [...svg.matchAll(/<rect x="\d+" y="(\d+)"/g)].map((match) => Number(match[1]));
  expect(ys).toEqual([24, 24, 112, 200, 200]);
});

describe('statuses', () => {
  test.each<[DrawFormat, string]>([
    ['mermaid', '  style n0 fill:#d3f2d3\n'],
    ['dot', 'n0 [label="load \\"x\\" <b>", fillcolor="#d3f2d3"];'],
    ['svg', 'fill="#d3f2d3"'],
  ])('colour nodes in %s, from a stored graph', (format, text) => {
    expect(drawGraph(format, stored())).not.toContain('#d3f2d3');
    expect(drawGraph(format, stored(), (id) => (id === 0 ? 'completed' : undefined))).toContain(text);
  });
});

test('names with newlines, backticks and quotes break no format', () => {
  const nasty = electron({ name: '`a`\n"]; end; n9[x" \\' }, () => 1);
  const l = lattice({ name: 'l' }, () => nasty());
  expect(l.draw('mermaid').split('\n')[1]).toBe('  n0["#96;a#96; #34;]; end; n9[x#34; #92;"]');
  expect(l.draw('dot').split('\n')[3]).toBe('  n0 [label="`a` \\"]; end; n9[x\\" \\\\"];');
});

test('the public view shows arguments with Refs, options, order and bodies; a stored graph shows the same', () => {
  const view = pipeline.graph('p');
  expect(view.output).toEqual({ fits: { $ref: 2, path: [] }, first: { $ref: 2, path: [0] } });
  expect(view.nodes.map(({ id, kind, name, args, after }) => ({ id, kind, name, args, after }))).toEqual([
    { id: 0, kind: 'electron', name: 'load "x" <b>', args: ['p'], after: [] },
    { id: 1, kind: 'electron', name: 'done', args: [], after: [] },
    { id: 2, kind: 'map', name: 'fit', args: [{ $ref: 0, path: [] }], after: [] },
    { id: 3, kind: 'electron', name: 'done', args: [], after: [2] },
  ]);
  const body = view.nodes[2]?.body;
  expect(body?.nodes[0]).toMatchObject({
    name: 'fit',
    args: [
      { $ref: 'item', path: [] },
      { i: { $ref: 'index', path: [] }, base: { $ref: 1, path: [], up: 1 } },
    ],
    options: { retries: { max: 1 } },
  });
  expect(body?.output).toEqual({ $ref: 0, path: [] });
  expect(graphView(stored())).toEqual(view);
});
