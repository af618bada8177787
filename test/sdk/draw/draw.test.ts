/** Pictures of a graph as text: what is in them, from a trace and from stored bytes, and that no name breaks them. Where things are on the page: geometry.test.ts. */
/* oxlint-disable typescript/no-non-null-assertion -- an element of a Ref is always there; noUncheckedIndexedAccess can't know */
import { describe, expect, test } from 'vitest';
import { decodeGraph, encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { after } from '../../../sdk/after.ts';
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import type { DrawFormat } from '../../../sdk/types.ts';
import { drawSeen, graphOf, mapped, mappedElectrons } from './samples.ts';
import { readSvg } from './svg-reader.ts';

const load = electron({ name: 'load "x" <b>' }, (path: string) => [path.length]);
const fit = electron({ name: 'fit', needs: ['gpu'] }, (n: unknown, extra: unknown) => [n, extra]);
const done = electron({ name: 'done', executor: 'slurm' }, () => 1);
const pipeline = lattice({ name: 'pipeline' }, (path: string) => {
  const data = load(path);
  const base = done();
  const fits = data.map((n, i) => fit(n, { i, base }), { concurrency: 4 });
  const pairs = data.map((n) => fit(fit(n, 1), base));
  after(fits, () => done());
  return { fits, first: pairs[0]! };
});

test('mermaid', () => {
  expect(pipeline.draw('mermaid', 'p')).toBe(`---
title: "pipeline"
---
flowchart TD
  n0["load #34;x#34; #60;b#62;"]
  n1["done<br/>on slurm"]
  n2@{ shape: procs, label: "fit × n<br/>map, 4 at once, needs gpu" }
  subgraph n3["fit × n · map"]
    n3_0@{ shape: procs, label: "fit × n<br/>needs gpu" }
    n3_1@{ shape: procs, label: "fit × n<br/>needs gpu" }
  end
  n4["done<br/>on slurm"]
  result(["result"])
  n0 --> n2
  n1 -->|"arg 2.base"| n2
  n0 --> n3
  n3_0 -->|"arg 1"| n3_1
  n1 -->|"arg 2"| n3_1
  n2 -.-> n4
  n2 -->|"fits"| result
  n3 -->|"#91;0#93; → first"| result
`);
});

test('dot', () => {
  const [, graph, node, edge, ...lines] = pipeline.draw('dot', 'p').split('\n');
  expect([graph, node, edge].map((line) => line?.trim().split(' ')[0])).toEqual(['graph', 'node', 'edge']);
  const look = 'fillcolor="#f3f6fa", color="#6e7781", penwidth=1, style="filled,rounded"';
  expect(lines.join('\n')).toBe(`  n0 [label="load \\"x\\" <b>", ${look}];
  n1 [label="done\\non slurm", ${look}];
  n2 [label="fit × n\\nmap, 4 at once, needs gpu", ${look}, shape=box3d];
  subgraph cluster_n3 {
    graph [label="fit × n\\nmap", ${look.replace('#f3f6fa', '#fbfcfd')}];
    n3_0 [label="fit × n\\nneeds gpu", ${look}, shape=box3d];
    n3_1 [label="fit × n\\nneeds gpu", ${look}, shape=box3d];
  }
  n4 [label="done\\non slurm", ${look}];
  result [label="result", ${look}, shape=oval];
  n0 -> n2;
  n1 -> n2 [label="arg 2.base"];
  n0 -> n3_0 [lhead=cluster_n3];
  n3_0 -> n3_1 [label="arg 1"];
  n1 -> n3_1 [label="arg 2"];
  n2 -> n4 [style=dashed];
  n2 -> result [label="fits"];
  n3_1 -> result [ltail=cluster_n3, label="[0] → first"];
}
`);
});

test('svg', () => {
  const { nodes, lines, texts } = readSvg(pipeline.draw('svg', 'p'));
  expect(nodes.map(({ id, inside }) => [id, inside])).toEqual([
    ['n0', []],
    ['n1', []],
    ['n2', []],
    ['n3', ['n3_0', 'n3_1']],
    ['n3_0', []],
    ['n3_1', []],
    ['n4', []],
    ['result', []],
  ]);
  expect(lines.map(({ from, to, dashed }) => `${from} ${dashed ? '..' : '--'} ${to}`).sort()).toEqual([
    'n0 -- n2',
    'n0 -- n3',
    'n1 -- n2',
    'n1 -- n3', // what the body takes from outside ends at the map
    'n2 -- result',
    'n2 .. n4',
    'n3 -- result',
    'n3_0 -- n3_1',
  ]);
  const shown = texts.map(({ text }) => text);
  expect(shown[0]).toBe('pipeline');
  expect(shown).toEqual(
    expect.arrayContaining([
      'load "x" <b>',
      'fit × n',
      'map, 4 at once, needs gpu',
      '[0] → first',
      'order, without data',
    ]),
  );
});

describe('of a dispatch', () => {
  const stored = decodeGraph(encodeGraph(graphOf(mapped)));
  const electrons = mappedElectrons();

  test('a map is one pile with the number of its items and their statuses as counts, its body too', () => {
    const text = drawSeen('mermaid', stored, electrons);
    expect(text.split('\n').filter((line) => line.includes('×'))).toEqual([
      '  n2@{ shape: procs, label: "train × 1,000<br/>998 completed, 2 failed<br/>map, 8 at once, on slurm, needs gpu" }',
      '  subgraph n3["score × 1,000 · running · map"]',
      '    n3_0@{ shape: procs, label: "train × 1,000<br/>400 running, 600 completed<br/>on slurm, needs gpu" }',
      '    n3_1@{ shape: procs, label: "score × 1,000<br/>410 waiting, 590 completed" }',
    ]);
    expect(text).toContain('title: "seen · some dispatch"');
    expect(drawSeen('dot', stored, electrons)).toContain('998 completed, 2 failed');
    const { texts } = readSvg(drawSeen('svg', stored, electrons));
    const shown = texts.map(({ text: words }) => words);
    expect(shown).toEqual(expect.arrayContaining(['train × 1,000', '998 completed, 2 failed', 'some dispatch']));
    // The legend counts every electron.
    expect(shown).toEqual(
      expect.arrayContaining(['2,190 completed', '3 failed', '401 running', '410 waiting', '1 skipped']),
    );
  });

  test('a map that is not expanded yet, and one without items', () => {
    const waiting = drawSeen('mermaid', stored, [
      { id: 2, status: 'waiting' },
      { id: 3, status: 'completed' },
    ]);
    expect(waiting).toContain('"train × n<br/>waiting<br/>map');
    expect(waiting).toContain('"score × 0 · completed · map"');
  });

  test.each<[DrawFormat, RegExp]>([
    ['mermaid', /classDef s\d fill:#ffd9d6,stroke:#b3161f,stroke-width:3px,color:#1f2328\n {2}class n2 s\d/],
    ['dot', /n2 \[.*fillcolor="#ffd9d6", color="#b3161f", penwidth=3/],
    ['svg', /fill="#ffd9d6" stroke="#b3161f" stroke-width="3"/],
  ])('%s has colours and borders by status, and none before a dispatch', (format, look) => {
    expect(drawSeen(format, stored, electrons)).toMatch(look);
    expect(drawSeen(format, stored, [])).not.toMatch(look);
  });
});

const hostile = [
  '</title></text><script>alert(1)</script> & &amp; <!-- ]]>',
  '`a`\n"]; end; n9[x" \\',
  '1. a list',
  '__init__ **b** $$x$$ fa:fa-car https://x.y',
  '\u0000\u0007\u202Eevil\uD800\uFFFF',
  'end',
  '日本語の名前 🧪',
  '\\n\\N\\G " } -> {',
];

describe('hostile names', () => {
  const all = lattice({ name: hostile.join(' ') }, () => {
    let last: unknown = 0;
    for (const name of hostile) last = electron({ name }, (x: unknown) => x)(last);
    return last;
  });

  test('stay what they are in an SVG, which stays XML', () => {
    const { nodes, texts } = readSvg(all.draw('svg'));
    expect(nodes).toHaveLength(hostile.length + 1);
    expect(texts.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['`a` "]; end; n9[x" \\', '1. a list', ' evil ', '日本語の名前 🧪', '\\n\\N\\G " } -> {']),
    );
  });

  test('make no other Mermaid or DOT', () => {
    const mermaid = all
      .draw('mermaid')
      .split('\n')
      .filter((line) => /^ {2}n\d+\[/.test(line));
    expect(mermaid).toHaveLength(hostile.length);
    for (const line of mermaid) expect(line).toMatch(/^ {2}n\d+\["[^"`<>&\\*[\](){}|!$^:]*"\]$/);
    expect(mermaid[2]).toBe('  n2["1#46; a list"]');
    expect(mermaid[3]).toBe('  n3["#95;#95;init#95;#95; #42;#42;b#42;#42; #36;#36;x#36;#36; fa#58;fa-car http…"]');
    const dot = all
      .draw('dot')
      .split('\n')
      .filter((line) => /^ {2}n\d+ \[/.test(line));
    for (const line of dot) expect(line).toMatch(/^ {2}n\d+ \[label="([^"\\]|\\["\\])*", fillcolor=/);
  });

  test('leave no line break, no control character and no half a character', () => {
    for (const format of ['mermaid', 'dot', 'svg'] as const)
      expect(all.draw(format).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}\u202e\uffff]/u);
  });
});

describe('a lattice inside a lattice', () => {
  const inner = lattice({ name: 'tuning' }, (n: number) => fit(n, 1));
  const outer = lattice({ name: 'outer' }, () => {
    const data = load('p');
    return [inner(1), inner(data.length), data.map(inner)];
  });
  const graph = graphOf(outer);

  test('is one box, of a shape of its own, with what draws it on an agent', () => {
    const text = drawSeen('mermaid', graph, []);
    expect(text.split('\n').filter((line) => line.includes('tuning'))).toEqual([
      '  n1[["tuning<br/>lattice"]]',
      '  n3[["tuning<br/>lattice"]]',
      '  n4@{ shape: procs, label: "tuning × n<br/>map, lattice" }',
    ]);
    expect(text.split('\n').filter((line) => /-->.* n[134]$/.test(line))).toEqual([
      '  n0 -->|"length"| n3',
      '  n0 --> n4',
    ]);
    expect(drawSeen('dot', graph, [])).toMatch(/n3 \[label="tuning\\nlattice", .*, peripheries=2\];/);
    expect(readSvg(drawSeen('svg', graph, [])).nodes.map(({ id }) => id)).toEqual(['n0', 'n1', 'n3', 'n4', 'result']);
  });

  test('names its dispatch, and stands as its drawing does until it has begun', () => {
    const running = { id: 1, status: 'running' as const, inner: '01abc-n1' };
    const seen = (status: 'running' | 'failed') => [running, { id: 2, status }, { id: 3, status: 'waiting' as const }];
    const text = drawSeen('mermaid', graph, seen('running'));
    expect(text).toContain('n1[["tuning<br/>running<br/>lattice, 01abc-n1"]]');
    expect(text).toContain('n3[["tuning<br/>running<br/>lattice"]]');
    expect(drawSeen('mermaid', graph, seen('failed'))).toContain('n3[["tuning<br/>failed<br/>lattice"]]');
    const both = lattice({ name: 'both' }, () => Array.from({ length: 13 }, () => inner(1)));
    const many = graphOf(both).nodes.map((_, id) => ({ id, status: 'running' as const, inner: `01abc-n${id}` }));
    expect(drawSeen('mermaid', graphOf(both), many)).toContain(
      '{ shape: procs, label: "tuning × 13<br/>13 running<br/>lattice" }',
    );
  });
});
