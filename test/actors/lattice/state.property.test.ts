/** Random lattices with random outcomes: what LatticeState makes of them is what the rules say, whenever the hub stops. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkGraph } from '../../../model/graph-check.ts';
import { inputsOf, type Input, type WireGraph, type WireNode } from '../../../model/graph.ts';
import { isTerminalElectron, type ElectronStatus } from '../../../model/lifecycle.ts';
import { randomFrom, randomGraph } from '../support/graphs.ts';
import { LatticeRun, type World } from '../support/lattice-run.ts';

function hash(text: string, seed: number): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 13)) >>> 0;
}

const worldOf = (seed: number, failPercent: number): World => ({
  fails: (name) => hash(name, seed) % 100 < failPercent,
  length: (name) => {
    const h = hash(`length of ${name}`, seed) % 20;
    return h === 0 ? undefined : h % 4;
  },
});

/** The statuses that the rules give, found without any of the code under test. */
function expectedStatuses(
  graph: WireGraph,
  world: World,
): { statuses: Record<string, ElectronStatus>; roots: string[] } {
  const statuses: Record<string, ElectronStatus> = {};
  const roots: string[] = [];
  interface Scope {
    readonly ok: boolean[];
    readonly lengths: (number | undefined)[];
    readonly itemLength: number | undefined;
    readonly outer: Scope | undefined;
  }
  const out = (scope: Scope | undefined, up: number): Scope | undefined =>
    up === 0 ? scope : out(scope?.outer, up - 1);
  /** Nodes `depth` scopes out that this one needs. */
  const needs = (node: WireNode, depth: number): number[] => {
    const of = (inputs: readonly Input[]): number[] =>
      inputs.flatMap((input) => {
        if (typeof input === 'number') return depth === 0 ? [input] : [];
        return 'up' in input && input.up === depth && depth > 0 ? [input.node] : [];
      });
    if (node.kind !== 'map') return of(inputsOf(node));
    return [...of([node.over]), ...node.body.nodes.flatMap((inner) => needs(inner, depth + 1))];
  };
  const neededBy = (nodes: readonly WireNode[], at: number, found = new Set<number>()): ReadonlySet<number> => {
    const node = nodes[at];
    if (node === undefined || found.has(at)) return found;
    found.add(at);
    for (const parent of [...node.after, ...needs(node, 0)]) neededBy(nodes, parent, found);
    return found;
  };
  const evaluate = (
    nodes: readonly WireNode[],
    suffix: string,
    outer: Scope | undefined,
    itemLength: number | undefined,
    root: (name: string, at: number) => void,
  ): Scope => {
    const scope: Scope = { ok: [], lengths: [], itemLength, outer };
    nodes.forEach((node, at) => {
      const plain = node.kind === 'electron' ? (graph.electrons[node.electron]?.name ?? '') : node.name;
      const name = plain + suffix;
      const end = (status: ElectronStatus): void => {
        statuses[name] = status;
        scope.ok[at] = status === 'completed';
      };
      if ([...node.after, ...needs(node, 0)].some((parent) => scope.ok[parent] !== true)) return end('skipped');
      if (node.kind !== 'map') {
        scope.lengths[at] = world.length(name);
        const drawn = node.kind === 'electron' || !world.fails(`${name} drawn`);
        if (drawn && !world.fails(name)) return end('completed');
        root(name, at);
        return end('failed');
      }
      const { over } = node;
      const length =
        typeof over === 'number' ? scope.lengths[over] : 'item' in over ? out(scope, over.item)?.itemLength : undefined;
      if (length === undefined) {
        root(name, at);
        return end('failed');
      }
      let whole = true;
      const needed = neededBy(node.body.nodes, node.body.output);
      const rootInside = (inside: string, there: number): void => {
        if (!needed.has(there)) roots.push(inside);
        else if (node.onItemError === 'fail') root(inside, at);
      };
      for (let i = 0; i < length; i++) {
        const itemLength = world.length(`${name} item ${i}`);
        const inner = evaluate(node.body.nodes, `${suffix}[${i}]`, scope, itemLength, rootInside);
        if (inner.ok[node.body.output] !== true) whole = false;
      }
      if (!whole && node.onItemError === 'fail') return end('failed');
      if (world.fails(`${name} composed`)) {
        root(name, at);
        return end('failed');
      }
      scope.lengths[at] = length;
      return end('completed');
    });
    return scope;
  };
  evaluate(graph.nodes, '', undefined, undefined, (name) => void roots.push(name));
  return { statuses, roots: roots.sort() };
}

const endOf = (run: LatticeRun) => ({
  statuses: run.statuses(),
  roots: run.rootFailures(),
  values: run.values(),
  complete: run.state.outputComplete(),
});

/** No map has more items under way than it allows, and nobody runs before its parents have values. */
function watchRules(run: LatticeRun): void {
  const { plan } = run.state;
  const active = new Map<number, Set<number>>();
  for (const node of run.working) {
    const { region, item } = plan.place(node);
    for (let parent = 0; parent < region.nodes.length; parent++) {
      const id = region.base + item * region.nodes.length + parent;
      if ([...plan.dependentsOf(id)].includes(node))
        expect(run.state.value(id), `${plan.nameOf(node)} needs ${plan.nameOf(id)}`).toBeDefined();
    }
    if (region.map < 0) continue;
    if (isTerminalElectron(run.state.status(plan.outputOf(region, item)))) continue;
    const items = active.get(region.map) ?? new Set();
    active.set(region.map, items.add(item));
  }
  for (const [map, items] of active) {
    const { node } = plan.place(map);
    if (node.kind === 'map' && node.concurrency > 0)
      expect(items.size, `items of ${plan.nameOf(map)} at once`).toBeLessThanOrEqual(node.concurrency);
  }
}

const settings = fc.record({
  graph: fc.integer({ min: 0, max: 2 ** 31 }),
  size: fc.integer({ min: 1, max: 9 }),
  world: fc.integer({ min: 0, max: 2 ** 31 }),
  failPercent: fc.constantFrom(0, 5, 15, 40),
  order: fc.integer({ min: 0, max: 2 ** 31 }),
  again: fc.integer({ min: 0, max: 2 ** 31 }),
});

describe('a random lattice', () => {
  it('ends with the statuses that the rules give, in whatever order things happen', () => {
    fc.assert(
      fc.property(settings, ({ graph: seed, size, world: worldSeed, failPercent, order }) => {
        const graph = randomGraph(seed, size);
        checkGraph(graph);
        const world = worldOf(worldSeed, failPercent);
        const run = new LatticeRun(graph, world).run(randomFrom(order), watchRules);
        const expected = expectedStatuses(graph, world);
        expect(run.statuses()).toEqual(expected.statuses);
        expect(run.rootFailures()).toEqual(expected.roots);
        expect(run.ends).toBeGreaterThan(0);
        expect(run.state.open).toBe(0);
      }),
      { numRuns: 1_500 },
    );
  });

  it('ends the same when the hub stops after any of its records and goes on from them', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(settings, ({ graph: seed, size, world: worldSeed, failPercent, order, again }) => {
        const graph = randomGraph(seed, size);
        const world = worldOf(worldSeed, failPercent);
        const whole = new LatticeRun(graph, world).run(randomFrom(order));
        const ended = endOf(whole);
        const random = randomFrom(again);
        const step = Math.max(1, Math.floor(whole.kept.length / 25));
        for (let count = 0; count <= whole.kept.length; count += step) {
          const resumed = whole.restarted(count).run(random, watchRules);
          expect(endOf(resumed), `from ${count} records`).toEqual(ended);
          expect(resumed.ends).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('ends the same when the hub stops again and again', () => {
    fc.assert(
      fc.property(settings, ({ graph: seed, size, world: worldSeed, failPercent, order, again }) => {
        const graph = randomGraph(seed, size);
        const world = worldOf(worldSeed, failPercent);
        const random = randomFrom(again);
        let run = new LatticeRun(graph, world);
        for (let crashes = 0; crashes < 12; crashes++) {
          for (let steps = random(12); steps > 0 && !run.idle; steps--) run.step(random);
          // Some of the newest records never reached the disk.
          run = run.restarted(Math.max(0, run.kept.length - random(3)));
        }
        run.run(randomFrom(order), watchRules);
        expect(run.statuses()).toEqual(expectedStatuses(graph, world).statuses);
      }),
      { numRuns: 400 },
    );
  });

  it('comes to an end when any of it is cancelled at any time, also over a restart', () => {
    fc.assert(
      fc.property(settings, fc.boolean(), fc.boolean(), (o, all, restart) => {
        const world = worldOf(o.world, o.failPercent);
        const random = randomFrom(o.again);
        let run = new LatticeRun(randomGraph(o.graph, o.size), world);
        for (let cancels = 1 + random(3); cancels > 0; cancels--) {
          for (let steps = random(15); steps > 0 && !run.idle; steps--) run.step(random);
          const { size } = run.state.plan;
          const nodes = Array.from({ length: 1 + random(3) }, () => random(size));
          if (all) run.state.cancel('enough');
          else run.state.cancel('enough', nodes);
          run.carryOut();
          if (!all)
            for (const node of nodes)
              expect(run.ready.filter((r) => r === node && run.state.status(r) === 'ready')).toEqual([]);
          if (restart) {
            run = run.restarted(run.kept.length - (all ? 0 : random(2)));
            if (all) run.state.cancel('enough');
            run.carryOut();
          }
        }
        run.run(randomFrom(o.order), watchRules);
        expect(run.unfinished()).toEqual([]);
        expect(run.state.open).toBe(0);
        expect(run.ends).toBeGreaterThan(0);
      }),
      { numRuns: 1_500 },
    );
  });
});
