/** Node numbers: the graph's own, then what maps became. */
import { describe, expect, it } from 'vitest';
import { Plan } from '../../model/plan.ts';
import { electron, graphOf, map } from '../actors/support/graphs.ts';

const inner = map('inner', { item: 0 }, [
  electron(2, [{ item: 0 }, { item: 1 }, { index: 0 }, { index: 1 }, { up: 1, node: 0 }, { up: 2, node: 0 }]),
]);
const graph = graphOf(
  ['load', 'clean', 'train', 'score'],
  [electron(0), map('outer', 0, [electron(1, [{ item: 0 }]), inner]), electron(3, [1], [0])],
);

describe('a plan', () => {
  it('begins with the nodes of the graph and grows by items × body nodes per map', () => {
    const plan = new Plan(graph);
    expect(plan.size).toBe(3);
    expect(plan.expand(1, 2)).toMatchObject({ base: 3, items: 2, map: 1 });
    expect(plan.size).toBe(7);
    expect(plan.expand(4, 3).base).toBe(7);
    expect(plan.expand(6, 0).base).toBe(10);
    expect(plan.size).toBe(10);
    expect(plan.regionOf(4)?.items).toBe(3);
    expect(plan.regionOf(6)?.items).toBe(0);
    expect(plan.regionOf(5)).toBeUndefined();
  });

  it('finds every node, also behind maps without items', () => {
    const plan = new Plan(graph);
    plan.expand(1, 3);
    plan.expand(4, 0);
    plan.expand(6, 2);
    expect(Array.from({ length: plan.size }, (_, node) => plan.nameOf(node))).toEqual([
      'load',
      'outer',
      'score',
      'clean[0]',
      'inner[0]',
      'clean[1]',
      'inner[1]',
      'clean[2]',
      'inner[2]',
      'train[1][0]',
      'train[1][1]',
    ]);
    expect(plan.plainNameOf(10)).toBe('train');
    for (const wrong of [-1, 11, 0.5]) expect(() => plan.place(wrong)).toThrow(/no node/);
    expect(() => plan.expand(0, 1)).toThrow(/no map/);
  });

  it('names each node by where it stands, whatever the order in which maps were expanded', () => {
    const paths = (maps: readonly (readonly [map: number, items: number])[]): readonly (readonly string[])[] => {
      const plan = new Plan(graph);
      for (const [at, items] of maps) plan.expand(at, items);
      return Array.from({ length: plan.size }, (_, node) => [plan.pathOf(node), plan.nameOf(node)]);
    };
    const found = paths([
      [1, 2],
      [4, 1],
      [6, 2],
    ]);
    expect(found.map(([path]) => path)).toEqual([
      ...['0', '1', '2', '1[0].0', '1[0].1', '1[1].0', '1[1].1'],
      ...['1[0].1[0].0', '1[1].1[0].0', '1[1].1[1].0'],
    ]);
    const otherwise = paths([
      [1, 2],
      [6, 2],
      [4, 1],
    ]);
    expect(otherwise).not.toEqual(found);
    expect(new Map(otherwise.map(([path, name]) => [path, name]))).toEqual(
      new Map(found.map(([path, name]) => [path, name])),
    );
  });

  it('says what each input stands for, however far out', () => {
    const plan = new Plan(graph);
    plan.expand(1, 2);
    plan.expand(6, 2);
    const place = plan.place(8);
    const inputs = place.node.kind === 'electron' ? place.node.inputs : [];
    expect(inputs.map((input) => plan.source(place, input))).toEqual([
      { map: 6, item: 1 },
      { map: 1, item: 1 },
      { index: 1 },
      { index: 1 },
      { node: 5 },
      { node: 0 },
    ]);
    expect(plan.source(plan.place(2), 1)).toEqual({ node: 1 });
  });

  it('knows who waits for whom within an item', () => {
    const plan = new Plan(graph);
    plan.expand(1, 2);
    expect([...plan.dependentsOf(0)]).toEqual([1, 2]);
    expect([...plan.dependentsOf(5)]).toEqual([6]);
    expect([...plan.dependentsOf(6)]).toEqual([]);
    expect(plan.outputOf(plan.place(5).region, 1)).toBe(6);
  });

  it('makes a map wait for what its bodies reach out for, once each, and for nothing of theirs', () => {
    const deep = map(
      'a',
      { item: 0 },
      [map('b', { up: 1, node: 5 }, [electron(0, [{ up: 2, node: 7 }, { up: 1, node: 0 }, 0])], { after: [1] })],
      { after: [3, 3] },
    );
    const before = Array.from({ length: 8 }, () => electron(0));
    const plan = new Plan({ ...graph, nodes: [...before, deep, electron(0, [7, 7, 8])] });
    expect([...plan.root().links.parents].slice(8)).toEqual([3, 2]);
    const waiting = before.map((_, node) => [...plan.dependentsOf(node)]);
    expect(waiting).toEqual([[], [], [], [8], [], [8], [], [8, 9]]);
    expect([...plan.dependentsOf(8)]).toEqual([9]);
  });
});
