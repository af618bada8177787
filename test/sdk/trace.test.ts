/** What a traced lattice becomes: nodes, inputs, templates, values, definitions. */
/* oxlint-disable typescript/no-non-null-assertion -- an element of a Ref is always there; noUncheckedIndexedAccess can't know */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkGraph } from '../../model/graph-check.ts';
import type { ElectronNode, MapNode, WireNode } from '../../model/graph.ts';
import { IDENTITY_ELECTRON } from '../../model/graph.ts';
import { decodeGraph, encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { decodeTemplate } from '../../bus/value/template.ts';
import { decodeValue } from '../../bus/value/value.ts';
import { after } from '../../sdk/after.ts';
import { electron } from '../../sdk/electron.ts';
import { lattice } from '../../sdk/lattice.ts';
import { traceLattice, type Trace } from '../../sdk/trace.ts';
import { trusted } from '../../model/trusted.ts';

const mk = electron(function mk(n: number) {
  return {
    a: [{ b: n }],
    pair: [n, String(n)] as [number, string],
    list: [n, n + 1],
    nil: null as { x: number } | null,
  };
});
const add = electron(function add(a: number, b: number) {
  return a + b;
});
const list = electron(function list(n: number) {
  return Array.from({ length: n }, (_, i) => i);
});
const use = electron(function use(x: unknown) {
  return x;
});
const total = electron(function total(xs: readonly number[]) {
  return xs.reduce((a, b) => a + b, 0);
});

const traced = (body: () => unknown): Trace => {
  const trace = traceLattice(lattice({ name: 'test' }, body), []);
  checkGraph(trace.graph);
  expect(decodeGraph(encodeGraph(trace.graph))).toEqual(trace.graph);
  return trace;
};
function electronAt(nodes: readonly WireNode[], i: number): ElectronNode {
  const node = nodes[i];
  if (node?.kind !== 'electron') throw new Error(`node ${i} is ${node?.kind}`);
  return node;
}
function mapAt(nodes: readonly WireNode[], i: number): MapNode {
  const node = nodes[i];
  if (node?.kind !== 'map') throw new Error(`node ${i} is ${node?.kind}`);
  return node;
}
const argsOf = (node: ElectronNode): unknown =>
  decodeTemplate(node.template, (input, path) => ({ input, path: [...path] }));

describe('electron calls', () => {
  test('a call becomes a node whose template refers to its inputs with paths', () => {
    const { graph } = traced(() => {
      const made = mk(1);
      return add(made.a[0]!.b, 2);
    });
    expect(graph.electrons.map((e) => e.name)).toEqual(['mk', 'add']);
    expect(argsOf(electronAt(graph.nodes, 0))).toEqual([1]);
    expect(argsOf(electronAt(graph.nodes, 1))).toEqual([{ input: 0, path: ['a', 0, 'b'] }, 2]);
    expect(electronAt(graph.nodes, 1).inputs).toEqual([0]);
    expect(graph.output.inputs).toEqual([1]);
  });

  test('Refs nested in plain data are found, and one node is one input however often it is used', () => {
    const { graph } = traced(() => {
      const made = mk(1);
      return use({ deep: [made.a, { again: made.pair }], both: made });
    });
    const node = electronAt(graph.nodes, 1);
    expect(node.inputs).toEqual([0]);
    expect(argsOf(node)).toEqual([
      { deep: [{ input: 0, path: ['a'] }, { again: { input: 0, path: ['pair'] } }], both: { input: 0, path: [] } },
    ]);
  });

  test('of many nodes each is one input too, numbers and large literals alike', () => {
    const large = 'x'.repeat(20_000);
    const { graph } = traced(() => {
      const all = Array.from({ length: 20 }, (_, i) => mk(i));
      return use([...all, ...all.toReversed(), large, large].map((x) => x));
    });
    const node = electronAt(graph.nodes, 20);
    expect(node.inputs.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const mixed = traced(() => {
      const all = Array.from({ length: 12 }, (_, i) => mk(i));
      return electron({ name: 'many' }, (...xs: unknown[]) => xs)(all[0], large, ...all, large, ...all);
    });
    expect(electronAt(mixed.graph.nodes, 12).inputs).toEqual([
      0,
      { value: [...mixed.values.keys()][0] },
      ...Array.from({ length: 11 }, (_, i) => i + 1),
    ]);
  });

  test('an argument whose getter calls an electron keeps its own inputs', () => {
    const { graph } = traced(() => {
      const [first, second] = [mk(1), mk(2)];
      const sneaky = {
        get inner() {
          return use(second);
        },
      };
      return add(trusted<number>(first), trusted<number>([sneaky, first]));
    });
    // The getter is read more than once: to see how large the argument is, and to encode it.
    const last = graph.nodes.length - 1;
    expect(electronAt(graph.nodes, last - 1).inputs).toEqual([1]);
    expect(electronAt(graph.nodes, last).inputs).toEqual([0, last - 1]);
  });

  test('a tuple is destructured into its elements', () => {
    const { graph } = traced(() => {
      const [n, text] = mk(1).pair;
      return [n, text];
    });
    const output = decodeTemplate(graph.output.template, (_, path) => [...path]);
    expect(output).toEqual([
      ['pair', 0],
      ['pair', 1],
    ]);
  });

  test('`?.` on a Ref is a path like any other', () => {
    const { graph } = traced(() => use(mk(1).nil?.x));
    expect(argsOf(electronAt(graph.nodes, 1))).toEqual([{ input: 0, path: ['nil', 'x'] }]);
  });

  test('inspect shows where a Ref comes from', () => {
    traced(() => {
      const made = mk(1);
      expect(inspect(made.a[0]!.b)).toBe('Ref<mk#0.a[0].b>');
      expect(inspect({ made })).toBe('{ made: Ref<mk#0> }');
      return made;
    });
  });

  test('children of a Ref are made once', () => {
    traced(() => {
      const made = mk(1);
      expect(made.a === made.a).toBe(true);
      return made;
    });
  });
});

describe('definitions', () => {
  test('100,000 calls of one electron give one definition', () => {
    const wide = lattice(function wide(n: number) {
      let sum = add(0, 0);
      for (let i = 1; i < n; i++) sum = add(sum, i);
      return sum;
    });
    const { graph, electronsUsed } = traceLattice(wide, [100_000]);
    expect(graph.nodes).toHaveLength(100_000);
    expect(graph.electrons).toHaveLength(1);
    expect(electronsUsed).toHaveLength(1);
  });

  test('`with` in a loop gives one definition, other options another; the function is shipped once', () => {
    const { graph, electronsUsed } = traced(() => {
      for (let i = 0; i < 3; i++) add.with({ retries: 2 })(i, i);
      return add(1, 1);
    });
    expect(graph.electrons.map((e) => [e.name, e.retries.max])).toEqual([
      ['add', 2],
      ['add', 0],
    ]);
    expect(electronsUsed.map((e) => e.name)).toEqual(['add']);
  });

  test('two functions of one name are both named as used', () => {
    const one = electron({ name: 'same' }, () => 1);
    const two = electron({ name: 'same' }, () => 2);
    const { electronsUsed, graph } = traced(() => [one(), two()]);
    expect(electronsUsed).toHaveLength(2);
    expect(graph.electrons).toHaveLength(2);
  });

  test('what was used comes with its function, file and line', () => {
    const { electronsUsed } = traced(() => add(1, 2));
    expect(electronsUsed[0]?.file).toBe(import.meta.filename);
    const line =
      readFileSync(import.meta.filename, 'utf8')
        .split('\n')
        .findIndex((text) => text.startsWith('const add =')) + 1;
    expect(electronsUsed[0]?.at).toBe(`trace.test.ts:${line}`);
  });

  test("a lattice's `electrons` are defaults, and an executor given at dispatch is stronger than both", () => {
    const plain = electron({ name: 'plain' }, () => 1);
    const own = electron({ name: 'own', executor: 'own', retries: 1 }, () => 1);
    const both = lattice({ name: 'both', electrons: { executor: 'shared', retries: 7, timeout: '5s' } }, () => [
      plain(),
      own(),
    ]);
    const [a, b] = traceLattice(both, []).graph.electrons;
    expect([a?.executor, a?.retries.max, a?.timeouts.attemptMs]).toEqual(['shared', 7, 5_000]);
    expect([b?.executor, b?.retries.max, b?.timeouts.attemptMs]).toEqual(['own', 1, 5_000]);
    const moved = traceLattice(both, [], { executors: { own: { type: 'gpu', model: 'a100' } } }).graph.electrons[1];
    expect(moved).toMatchObject({ executor: 'gpu', executorOptions: { model: 'a100' } });
  });
});

describe('large literals', () => {
  const big = new Float64Array(10_000).fill(0.5);

  test('a large argument becomes a value, kept once for all that it is passed to', () => {
    const { graph, values } = traced(() => [use(big), use(big), use('x'.repeat(100_000)), use({ big, n: 1 })]);
    expect(values.size).toBe(3);
    const [first, second] = [electronAt(graph.nodes, 0), electronAt(graph.nodes, 1)];
    const [input] = first.inputs;
    if (typeof input !== 'object' || !('value' in input)) throw new Error('expected a value');
    expect(second.inputs).toEqual(first.inputs);
    expect(argsOf(first)).toEqual([{ input: 0, path: [] }]);
    expect(decodeValue(values.get(input.value) ?? new Uint8Array())).toEqual(big);
    expect(encodeGraph(graph).byteLength).toBeLessThan(2_000);
  });

  test('small arguments, and large ones that hold a Ref, stay in the template', () => {
    const { graph, values } = traced(() => use([use('y'.repeat(16_000)), 'z'.repeat(40_000)]));
    expect(values.size).toBe(0);
    expect(electronAt(graph.nodes, 1).template.byteLength).toBeGreaterThan(40_000);
  });

  test('an object that is changed between two calls is refused', () => {
    const buffer = new Uint8Array(50_000);
    expect(() => traced(() => [use(buffer), use(buffer.fill(1))])).toThrow(
      /^electron "use", argument 1: the object was changed after it had been passed to an electron, and passed again/,
    );
  });
});

describe('after', () => {
  test('every node made in the body waits for the parents, nested ones for both, and later ones for none', () => {
    const { graph } = traced(() => {
      const [a, b] = [use(1), use(2)];
      const inner = after(a, () => {
        use(3);
        return after([b, mk(1).a], () => use(4));
      });
      return use(inner);
    });
    expect(graph.nodes.map((n) => n.after)).toEqual([[], [], [0], [0], [0, 1, 3], []]);
  });

  test("a parent outside of a map's body makes the map wait", () => {
    const { graph } = traced(() => {
      const first = use(1);
      return list(3).map((item) => after(first, () => use(item)));
    });
    const map = mapAt(graph.nodes, 2);
    expect(map.after).toEqual([0]);
    expect(map.body.nodes[0]?.after).toEqual([]);
  });
});

describe('map', () => {
  test('over an electron: one node that gets the item only, and the mapped value is split', () => {
    const { graph } = traced(() => list(3).map(use, { concurrency: 2 }));
    expect(electronAt(graph.nodes, 0).split).toBe(true);
    const map = mapAt(graph.nodes, 1);
    expect(map).toMatchObject({ name: 'use', over: 0, concurrency: 2, onItemError: 'fail', body: { output: 0 } });
    expect(map.at).toMatch(/^trace\.test\.ts:\d+$/);
    expect(electronAt(map.body.nodes, 0).inputs).toEqual([{ item: 0 }]);
    expect(argsOf(electronAt(map.body.nodes, 0))).toEqual([{ input: 0, path: [] }]);
  });

  test('over a callback: traced once, with item, index and Refs of the lattice around', () => {
    let calls = 0;
    const { graph } = traced(() => {
      const base = use(1);
      return list(3).map((item, index) => {
        calls += 1;
        return add(trusted(use([item, index])), trusted(base));
      });
    });
    expect(calls).toBe(1);
    const { body, name } = mapAt(graph.nodes, 2);
    expect(name).toBe('add');
    expect(electronAt(body.nodes, 0).inputs).toEqual([{ item: 0 }, { index: 0 }]);
    expect(electronAt(body.nodes, 1).inputs).toEqual([0, { up: 1, node: 0 }]);
    expect(body.output).toBe(1);
  });

  test('a path is mapped over through an identity node, made once', () => {
    const { graph } = traced(() => {
      const made = mk(1);
      return [made.list.map(use), made.list.map(use)];
    });
    expect(graph.electrons.map((e) => e.name)).toEqual(['mk', IDENTITY_ELECTRON, 'use']);
    // its process may be killed, and nobody can give it retries
    expect(graph.electrons[1]?.retries).toMatchObject({ max: 10, retryOn: ['CRASHED'] });
    expect(graph.nodes.map((n) => n.kind)).toEqual(['electron', 'electron', 'map', 'map']);
    expect(argsOf(electronAt(graph.nodes, 1))).toEqual([{ input: 0, path: ['list'] }]);
    expect(electronAt(graph.nodes, 1).split).toBe(true);
    expect(electronAt(graph.nodes, 0).split).toBeUndefined();
    expect([mapAt(graph.nodes, 2).over, mapAt(graph.nodes, 3).over]).toEqual([1, 1]);
  });

  test('a callback that returns plain data, an element or a path gets an identity node', () => {
    const { graph, electronsUsed } = traced(() => list(2).map((item) => ({ item, double: add(item, item) })));
    const { body } = mapAt(graph.nodes, 1);
    expect(body.output).toBe(1);
    const last = electronAt(body.nodes, 1);
    expect(graph.electrons[last.electron]?.name).toBe(IDENTITY_ELECTRON);
    expect(argsOf(last)).toEqual([{ item: { input: 0, path: [] }, double: { input: 1, path: [] } }]);
    expect(last.inputs).toEqual([{ item: 0 }, 0]);
    expect(electronsUsed.map((e) => e.name)).toEqual(['list', 'add']);
  });

  test('a map of a map runs over the items of the items, and a map over a map runs over its value', () => {
    const { graph } = traced(() => {
      const outer = use(1);
      const rows = list(2).map((n) => list(n).map((cell, j) => use([cell, n, j, outer])));
      return rows.map(trusted<typeof use>(total));
    });
    const rows = mapAt(graph.nodes, 2);
    expect(electronAt(rows.body.nodes, 0).split).toBe(true);
    const cells = mapAt(rows.body.nodes, 1);
    expect(cells.over).toBe(0);
    expect(electronAt(cells.body.nodes, 0).inputs).toEqual([
      { item: 0 },
      { item: 1 },
      { index: 0 },
      { up: 2, node: 0 },
    ]);
    expect(rows.body.output).toBe(1);
    expect(mapAt(graph.nodes, 3).over).toBe(2);
  });

  test('an element that is mapped over goes through an identity node of the body; a path of the lattice around through one there', () => {
    const table = electron({ name: 'table' }, () => ({ rows: [[1], [2]], ids: [1, 2] }));
    const { graph } = traced(() => {
      const t = table();
      return t.rows.map((row) => [row.map(use), t.ids.map(use)]);
    });
    expect(graph.nodes.map((n) => n.kind)).toEqual(['electron', 'electron', 'electron', 'map']);
    const { body } = mapAt(graph.nodes, 3);
    expect(electronAt(body.nodes, 0)).toMatchObject({ inputs: [{ item: 0 }], split: true });
    expect(mapAt(body.nodes, 1).over).toBe(0);
    expect(mapAt(body.nodes, 2).over).toEqual({ up: 1, node: 2 });
  });

  test('a property called map is still a path', () => {
    const atlas = electron({ name: 'atlas' }, () => ({ map: { scale: 5 } }));
    const { graph } = traced(() => use(trusted<{ map: { scale: number } }>(atlas()).map.scale));
    expect(argsOf(electronAt(graph.nodes, 1))).toEqual([{ input: 0, path: ['map', 'scale'] }]);
  });
});

test("another copy of the SDK adds its electrons' nodes to this one's trace", async () => {
  const url = new URL('../../sdk/electron.ts?copy', import.meta.url).href;
  const copy: typeof import('../../sdk/electron.ts') = await import(/* @vite-ignore */ url);
  expect(copy.electron).not.toBe(electron);
  const other = copy.electron({ name: 'other' }, (x: number) => x);
  const { graph } = traced(() => add(other(1), other(mk(2).a[0]!.b)));
  expect(graph.electrons.map((e) => e.name)).toEqual(['other', 'mk', 'add']);
});
