/** Rules of the lattice, one by one: L1–L4 of state.ts. What holds for all of them together is in state.property.test.ts. */
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../actors/answer-size.ts';
import { verdictOf } from '../../../actors/lattice/verdict.ts';
import type { Effect } from '../../../actors/lattice/effects.ts';
import { LatticeState } from '../../../actors/lattice/state.ts';
import type { WireGraph } from '../../../model/graph.ts';
import { Plan } from '../../../model/plan.ts';
import { electron, graphOf, map, randomFrom, valueNamed } from '../support/graphs.ts';
import { LatticeRun, type World } from '../support/lattice-run.ts';

const world = (fails: readonly string[] = [], lengths: Readonly<Record<string, number>> = {}): World => ({
  fails: (name) => fails.includes(name),
  length: (name) => lengths[name],
});
const ran = (graph: WireGraph, is: World): LatticeRun => new LatticeRun(graph, is).run(randomFrom(1));
const names = (run: LatticeRun, nodes: readonly number[]): string[] =>
  nodes.map((node) => run.state.plan.nameOf(node)).sort();

describe('L1: a node is ready when every parent has a value', () => {
  const diamond = graphOf(['a', 'b', 'c', 'd'], [electron(0), electron(1, [0]), electron(2, [0]), electron(3, [1, 2])]);

  it('goes down a chain, one after the other', () => {
    const run = new LatticeRun(graphOf(['a', 'b', 'c'], [electron(0), electron(1, [0]), electron(2, [1])]), world());
    const order: string[][] = [];
    while (!run.idle) {
      order.push(names(run, run.ready));
      run.step(randomFrom(1));
      run.step(randomFrom(1));
    }
    expect(order).toEqual([['a'], ['b'], ['c']]);
  });

  it('waits at a diamond for both sides', () => {
    const run = new LatticeRun(diamond, world());
    for (const node of [0, 1]) {
      run.state.assigned(node);
      run.finish(node);
    }
    expect(run.state.status(3)).toBe('waiting');
    run.state.assigned(2);
    run.finish(2);
    expect(run.state.status(3)).toBe('ready');
  });

  it('keeps the order of `after`, without data', () => {
    const run = new LatticeRun(graphOf(['a', 'b'], [electron(0), electron(1, [], [0])]), world());
    expect(names(run, run.ready)).toEqual(['a']);
    run.run(randomFrom(1));
    expect(run.statuses()).toEqual({ a: 'completed', b: 'completed' });
  });

  it('skips what an `after` waits for in vain', () => {
    const run = ran(graphOf(['a', 'b'], [electron(0), electron(1, [], [0])]), world(['a']));
    expect(run.statuses()).toEqual({ a: 'failed', b: 'skipped' });
  });

  it('counts a parent once that is named twice', () => {
    expect(ran(graphOf(['a', 'b'], [electron(0), electron(1, [0, 0], [0])]), world()).statuses()).toEqual({
      a: 'completed',
      b: 'completed',
    });
  });

  it('skips all that waits for a failure, at once, naming the first cause', () => {
    const run = new LatticeRun(diamond, world(['b']));
    run.state.assigned(0);
    run.finish(0);
    run.state.assigned(1);
    run.finish(1);
    expect(run.state.status(3)).toBe('skipped');
    expect(run.state.status(2)).toBe('ready');
    const far = ran(
      graphOf(['a', 'b', 'c', 'd'], [electron(0), electron(1, [0]), electron(2, [1]), electron(3, [2])]),
      world(['a']),
    );
    const causes = far.kept.flatMap((kept) => (kept.type === 'ended' && kept.status === 'skipped' ? [kept.cause] : []));
    expect(causes).toEqual([0, 0, 0]);
  });

  it('lets independent branches go on after a failure', () => {
    const two = graphOf(['a', 'b', 'x', 'y'], [electron(0), electron(1, [0]), electron(2), electron(3, [2])], [3]);
    const run = ran(two, world(['a']));
    expect(run.statuses()).toEqual({ a: 'failed', b: 'skipped', x: 'completed', y: 'completed' });
    expect(verdictOf(run.state, false)).toMatchObject({ status: 'completed', errors: [{ node: 'a' }] });
  });
});

describe('L2: the machine decides', () => {
  it('refuses an event that it has no transition for', () => {
    const state = new LatticeState(new Plan(graphOf(['a'], [electron(0)])));
    expect(() => state.ended(0, 'completed', valueNamed('a'), undefined)).toThrow(/node 0 is waiting/);
  });

  it('gives a node to one electron actor only', () => {
    const run = new LatticeRun(graphOf(['a'], [electron(0)]), world());
    expect([run.state.assigned(0), run.state.assigned(0)]).toEqual([true, false]);
  });

  it('takes the first end of a node and no second', () => {
    const run = ran(graphOf(['a'], [electron(0)]), world());
    run.state.ended(0, 'failed', undefined, { code: 'TASK_THREW', message: 'late' });
    expect([run.state.status(0), run.state.roots]).toEqual(['completed', []]);
  });
});

describe('L3: the end', () => {
  it('is at once for a lattice without nodes', () => {
    const run = new LatticeRun(graphOf([], [], []), world());
    expect([run.ends, verdictOf(run.state, false).status]).toEqual([1, 'completed']);
  });

  it('is a failure with every root failure listed, and not those that were skipped', () => {
    const run = ran(graphOf(['a', 'b', 'c'], [electron(0), electron(1), electron(2, [0, 1])]), world(['a', 'b']));
    const verdict = verdictOf(run.state, false);
    expect(verdict.status).toBe('failed');
    expect(verdict.errors.map(({ node }) => node).sort()).toEqual(['a', 'b']);
    expect(verdict.errors[0]?.error.code).toBe('TASK_THREW');
  });

  it('tells of very many and large failures what fits into an answer, and how many there are', () => {
    const ids = Array.from({ length: 4_000 }, (_, node) => `e${node}`);
    const { state } = new LatticeRun(
      graphOf(
        ids,
        ids.map((_, node) => electron(node)),
      ),
      world(),
    );
    for (const node of ids.keys()) {
      const message = `no ${node} ${'x'.repeat(node === 0 ? 1_000_000 : 3_000)}`;
      state.assigned(node);
      state.ended(node, 'failed', undefined, { code: 'TASK_THREW', message, stack: message });
    }
    const { errors } = verdictOf(state, false);
    expect(bytesOf(errors)).toBeLessThan(300 * 1024);
    expect([errors[1]?.error.message.length, errors.at(-2)?.error.message.slice(0, 3)]).toEqual([3_005, 'no ']);
    expect(errors.length).toBeGreaterThan(100);
    const more = ids.length - errors.length + 1;
    expect(errors.at(-1)).toEqual({
      node: '',
      error: { code: 'WORKFLOW_FAILED', message: `${more} more electrons failed: see the electrons of status failed` },
    });
  });

  it('comes only when the last node has ended', () => {
    const run = new LatticeRun(graphOf(['a', 'b'], [electron(0), electron(1)]), world());
    run.state.assigned(0);
    run.finish(0);
    expect(run.ends).toBe(0);
    run.state.assigned(1);
    run.finish(1);
    expect(run.ends).toBe(1);
  });
});

describe('maps', () => {
  const sweep = (concurrency = 0): WireGraph =>
    graphOf(
      ['load', 'train', 'best'],
      [electron(0), map('sweep', 0, [electron(1, [{ item: 0 }, { index: 0 }])], { concurrency }), electron(2, [1])],
    );

  for (const items of [0, 1, 7]) {
    it(`runs its body for each of ${items} items, and gives their values as one`, () => {
      const run = ran(sweep(), world([], { load: items }));
      expect(run.unfinished()).toEqual([]);
      expect(Object.keys(run.statuses()).filter((name) => name.startsWith('train'))).toHaveLength(items);
      expect(run.state.status(2)).toBe('completed');
      const composed = run.seen.find((effect) => effect.type === 'compose');
      expect(composed?.elements).toEqual(Array.from({ length: items }, (_, i) => valueNamed(`train[${i}]`)));
      expect(run.seen.filter((effect) => effect.type === 'compose')).toHaveLength(1);
    });
  }

  it('fails when what it runs over is no array, naming itself', () => {
    const run = ran(sweep(), world());
    expect(run.statuses()).toMatchObject({ sweep: 'failed', best: 'skipped' });
    const message = 'map "sweep": the value of "load" that it runs over is not an array';
    expect(verdictOf(run.state, false).errors).toEqual([{ node: 'sweep', error: { code: 'MAP_ARG', message } }]);
  });

  it('fails when an item fails, naming it, once the other items have ended', () => {
    const run = new LatticeRun(sweep(), world(['train[1]'], { load: 3 })).run(randomFrom(1), ({ state }) => {
      if (state.status(1) === 'failed')
        expect([3, 4, 5].map((node) => state.status(node)).sort()).toEqual(['completed', 'completed', 'failed']);
    });
    expect(run.state.error(1)).toEqual({ code: 'TASK_THREW', message: 'train[1]: train[1] threw' });
    expect(run.rootFailures()).toEqual(['train[1]']);
    expect(run.kept.find((kept) => kept.type === 'ended' && kept.node === 2)).toMatchObject({
      status: 'skipped',
      cause: 4,
    });
  });

  it('keeps to its limit of items at once, and begins the next when one has given its value', () => {
    const run = new LatticeRun(sweep(2), world([], { load: 5 }));
    const most: number[] = [];
    run.run(randomFrom(3), () => most.push(run.ready.length + run.working.size));
    expect(Math.max(...most)).toBe(2);
    expect(run.state.status(1)).toBe('completed');
  });

  it('frees no place of the limit when an item is cancelled that had not begun', () => {
    const run = new LatticeRun(sweep(1), world([], { load: 4 }));
    run.step(() => 0);
    run.step(() => 0);
    run.step(() => 0);
    expect(run.state.plan.size).toBe(7);
    run.state.cancel('not that one', [5]);
    run.carryOut();
    expect([3, 4, 5, 6].map((node) => run.state.status(node))).toEqual(['ready', 'waiting', 'cancelled', 'waiting']);
  });

  it('nests, and reaches out for values of any scope', () => {
    const inner = map('inner', { item: 0 }, [electron(1, [{ item: 0 }, { item: 1 }, { up: 2, node: 0 }])]);
    const graph = graphOf(['load', 'train'], [electron(0), map('outer', 0, [inner])]);
    const lengths = { load: 2, 'outer item 0': 3, 'outer item 1': 0 };
    const run = ran(graph, world([], lengths));
    expect(Object.entries(run.statuses())).toEqual(
      ['load', 'outer', 'inner[0]', 'inner[1]', 'train[0][0]', 'train[0][1]', 'train[0][2]'].map((name) => [
        name,
        'completed',
      ]),
    );
  });

  it('takes a late or second answer of the store for nothing', () => {
    const run = new LatticeRun(sweep(), world([], { load: 2 }));
    run.step(() => 0);
    run.step(() => 0);
    run.state.sliced(1, [valueNamed('i0'), valueNamed('i1')]);
    run.state.sliced(1, [valueNamed('i0'), valueNamed('i1'), valueNamed('i2')]);
    expect(run.state.plan.size).toBe(5);
    run.state.mapFailed(1, { code: 'STORE_FAILED', message: 'late' });
    expect(run.state.status(1)).toBe('running');
    run.carryOut();
    run.asks.length = 0;
    run.run(randomFrom(1));
    run.state.mapFailed(1, { code: 'STORE_FAILED', message: 'late' });
    run.state.composed(1, valueNamed('another'));
    expect(run.state.value(1)).not.toEqual(valueNamed('another'));
  });
});

describe('cancel', () => {
  const chain = graphOf(['a', 'b', 'c', 'x'], [electron(0), electron(1, [0]), electron(2, [1]), electron(3)], [2]);

  it('ends all that waits, and asks those who run to stop', () => {
    const run = new LatticeRun(chain, world());
    run.state.assigned(0);
    run.working.add(0);
    run.state.cancel('enough');
    run.carryOut();
    expect(run.statuses()).toEqual({ a: 'assigned', b: 'cancelled', c: 'cancelled', x: 'cancelled' });
    expect(run.seen.filter(({ type }) => type === 'cancel')).toEqual([{ type: 'cancel', node: 0, reason: 'enough' }]);
    expect(run.seen.filter(({ type }) => type === 'withdraw')).toEqual([{ type: 'withdraw', node: 3 }]);
    run.run(randomFrom(1));
    expect(run.statuses()).toMatchObject({ a: 'cancelled' });
    expect([run.ends, verdictOf(run.state, true).status]).toEqual([1, 'cancelled']);
  });

  it('of some skips what waits for them, and lets the rest go on', () => {
    const run = new LatticeRun(chain, world());
    run.state.cancel('not b', [1]);
    run.run(randomFrom(1));
    expect(run.statuses()).toEqual({ a: 'completed', b: 'cancelled', c: 'skipped', x: 'completed' });
    expect(verdictOf(run.state, false)).toEqual({ status: 'cancelled', errors: [] });
  });

  it('L4, H10: an outcome that was queued earlier stands, a value as well as a failure', () => {
    for (const status of ['completed', 'failed'] as const) {
      const run = new LatticeRun(chain, world());
      run.state.assigned(0);
      run.state.cancel('too late');
      run.finish(0, status);
      expect(run.statuses()).toEqual({ a: status, b: 'cancelled', c: 'cancelled', x: 'cancelled' });
      expect(run.ends).toBe(1);
    }
  });

  it('leaves what has ended as it is, and a complete output complete', () => {
    const graph = graphOf(['a', 'slow'], [electron(0), electron(1)], [0]);
    const run = new LatticeRun(graph, world());
    run.state.assigned(0);
    run.finish(0);
    run.state.cancel('the rest is not needed');
    run.carryOut();
    expect(run.statuses()).toEqual({ a: 'completed', slow: 'cancelled' });
    expect(verdictOf(run.state, true).status).toBe('completed');
  });

  it('of a map cancels its items, and the map when they have stopped', () => {
    const graph = graphOf(
      ['load', 'train', 'best'],
      [electron(0), map('sweep', 0, [electron(1, [{ item: 0 }])], { concurrency: 1 }), electron(2, [1])],
    );
    const run = new LatticeRun(graph, world([], { load: 3 }));
    for (let i = 0; i < 4; i++) run.step(() => 0);
    expect(run.statuses()).toMatchObject({ 'train[0]': 'assigned', 'train[1]': 'waiting' });
    run.state.cancel('no sweep', [1]);
    run.carryOut();
    expect(run.statuses()).toMatchObject({
      sweep: 'cancelling',
      'train[0]': 'assigned',
      'train[1]': 'cancelled',
      'train[2]': 'cancelled',
    });
    const again = run.restarted(run.kept.length);
    again.run(randomFrom(1));
    run.run(randomFrom(1));
    expect(again.statuses()).toEqual(run.statuses());
    expect(run.statuses()).toMatchObject({ sweep: 'cancelled', 'train[0]': 'cancelled', best: 'skipped' });
  });
});

describe('a resumed lattice', () => {
  it('fails with the map that failed by itself, as it would have without the stop', () => {
    const graph = graphOf(['load', 'train'], [electron(0), map('sweep', 0, [electron(1)])]);
    const run = ran(graph, world());
    const again = run.restarted(run.kept.length);
    expect(verdictOf(again.state, false)).toEqual(verdictOf(run.state, false));
    expect(verdictOf(again.state, false).status).toBe('failed');
  });

  it('still names the item that a map failed with', () => {
    const graph = graphOf(
      ['load', 'train', 'best'],
      [electron(0), map('sweep', 0, [electron(1, [{ item: 0 }])]), electron(2, [1])],
    );
    const run = ran(graph, world(['train[1]'], { load: 2 }));
    const at = run.kept.findIndex((kept) => kept.type === 'ended' && kept.node === 2);
    const again = run.restarted(at);
    expect(
      again.seen.find(
        (effect): effect is Extract<Effect, { type: 'settled' }> => effect.type === 'settled' && effect.node === 2,
      ),
    ).toMatchObject({ status: 'skipped', cause: 4 });
  });

  it('asks once for the list of a map whose items have ended, though it skips some first', () => {
    const body = [electron(1, [{ item: 0 }]), electron(2, []), electron(3, [1])];
    const graph = graphOf(['load', 'train', 'side', 'after'], [electron(0), map('sweep', 0, body, { output: 0 })]);
    const run = ran(graph, world(['side[0]'], { load: 1 }));
    const failed = run.kept.findIndex((kept) => kept.type === 'ended' && kept.status === 'skipped');
    const train = run.kept.findIndex((kept) => kept.type === 'ended' && kept.node === 2);
    // As if the skip that follows the failure had not reached the disk.
    const left = run.kept.slice(0, Math.max(failed, train) + 1).filter((_, at) => at !== failed);
    const again = new LatticeRun(graph, world(['side[0]'], { load: 1 }), left);
    expect(again.seen.filter((effect) => effect.type === 'compose')).toHaveLength(1);
    expect(again.run(randomFrom(1)).statuses()).toEqual(run.statuses());
  });

  it('asks for nothing again that is being worked on', () => {
    const run = new LatticeRun(graphOf(['a', 'b'], [electron(0), electron(1)]), world());
    run.step(() => 0);
    const again = run.restarted(run.kept.length);
    expect([names(again, [...again.working]), names(again, again.ready)]).toEqual([['a'], ['b']]);
  });
});
