/** Maps with `onItemError: 'collect'`, L5 of state.ts: what rejects an item, what it is told to have failed of, and what fails the dispatch all the same. */
import { describe, expect, it } from 'vitest';
import { failFast, verdictOf } from '../../../actors/lattice/verdict.ts';
import type { Input, WireGraph, WireNode } from '../../../model/graph.ts';
import { electron, graphOf, inner, map, randomFrom, valueNamed } from '../support/graphs.ts';
import { LatticeRun, type World } from '../support/lattice-run.ts';

const world = (fails: readonly string[], lengths: Readonly<Record<string, number>>): World => ({
  fails: (name) => fails.includes(name),
  length: (name) => lengths[name],
});
const ran = (graph: WireGraph, is: World): LatticeRun => new LatticeRun(graph, is).run(randomFrom(1));
const item: Input = { item: 0 };
/** `load`, a map `sweep` over it with this body, and `best` of its list. */
const sweep = (
  names: readonly string[],
  body: readonly WireNode[],
  o: { output?: number; concurrency?: number } = {},
) =>
  graphOf(['load', 'best', ...names], [electron(0), map('sweep', 0, body, { collects: true, ...o }), electron(1, [1])]);
const collected = (run: LatticeRun): unknown => run.seen.findLast((effect) => effect.type === 'compose');
const threw = (node: string): object => ({ node, message: `${node} threw`, code: 'TASK_THREW' });

describe('a map that collects', () => {
  const graph = sweep(['train'], [electron(2, [item])]);

  it('gives of each item, in order, its value or what it failed of; the dispatch is completed without an error', () => {
    const run = ran(graph, world(['train[1]'], { load: 3 }));
    expect(collected(run)).toEqual({
      type: 'compose',
      map: 1,
      settled: true,
      elements: [valueNamed('train[0]'), threw('train[1]'), valueNamed('train[2]')],
    });
    expect(run.statuses()).toMatchObject({ sweep: 'completed', 'train[1]': 'failed', best: 'completed' });
    expect(verdictOf(run.state, false)).toEqual({ status: 'completed', errors: [] });
  });

  it.each([0, 2])('is completed also when all of %i items failed', (items) => {
    const run = ran(graph, world(['train[0]', 'train[1]'], { load: items }));
    expect(collected(run)).toMatchObject({ elements: [threw('train[0]'), threw('train[1]')].slice(0, items) });
    expect(verdictOf(run.state, false)).toEqual({ status: 'completed', errors: [] });
  });

  it('tells the causes of an error, and neither its stack nor more than the beginning of a long text', () => {
    const run = new LatticeRun(graph, world([], { load: 1 }));
    run.state.assigned(0);
    run.finish(0);
    const [ask] = run.asks.splice(0);
    if (ask !== undefined) run.answer(ask);
    run.state.assigned(3);
    const cause = { code: 'TASK_THREW', message: 'no route', name: 'TypeError', stack: 'at b' };
    run.state.ended(3, 'failed', undefined, { code: 'TASK_THREW', message: 'x'.repeat(5_000), stack: 'at a', cause });
    run.carryOut();
    const reason = { node: 'train[0]', code: 'TASK_THREW' };
    expect(collected(run)).toMatchObject({
      elements: [{ ...reason, message: 'x'.repeat(1_000), cause: { ...reason, message: 'no route' } }],
    });
    expect(JSON.stringify(collected(run))).not.toContain('stack');
  });

  it('goes on with the next items where some failed, with a limit too', () => {
    const run = ran(
      sweep(['train'], [electron(2, [item])], { concurrency: 1 }),
      world(['train[0]', 'train[3]'], { load: 4 }),
    );
    expect(Object.values(run.statuses()).filter((status) => status === 'completed')).toHaveLength(5);
    expect(collected(run)).toMatchObject({ elements: [threw('train[0]'), {}, {}, threw('train[3]')] });
  });

  it('does not end a dispatch that fails fast', () => {
    const run = new LatticeRun(graph, world(['train[0]'], { load: 2 })).run(randomFrom(1), (at) => failFast(at.state));
    expect(run.state.cancelled).toBeUndefined();
    expect(verdictOf(run.state, false).status).toBe('completed');
  });

  it('fails itself when its list cannot be stored', () => {
    const run = ran(graph, world(['train[0]', 'sweep composed'], { load: 2 }));
    expect(verdictOf(run.state, false)).toMatchObject({ status: 'failed', errors: [{ node: 'sweep' }] });
  });
});

describe('an item of several nodes', () => {
  // prepare → train → score, and note beside them
  const body = [electron(2, [item]), electron(3, [0]), electron(4, [1]), electron(5, [item])];
  const names = ['prepare', 'train', 'score', 'note'];

  it('is rejected with what failed first of all that its value needs, and skips the rest', () => {
    const run = ran(sweep(names, body, { output: 2 }), world(['prepare[0]'], { load: 2 }));
    expect(run.statuses()).toMatchObject({ 'train[0]': 'skipped', 'score[0]': 'skipped', 'note[0]': 'completed' });
    expect(collected(run)).toMatchObject({ elements: [threw('prepare[0]'), valueNamed('score[1]')] });
  });

  it('is told to have failed of the first in the graph, whichever came first', () => {
    const both = sweep(names.slice(0, 3), [electron(2, [item]), electron(3, [item]), electron(4, [0, 1])]);
    for (let order = 0; order < 20; order++) {
      const run = new LatticeRun(both, world(['prepare[0]', 'train[0]'], { load: 1 })).run(randomFrom(order));
      expect(collected(run)).toMatchObject({ elements: [threw('prepare[0]')] });
    }
  });

  it('keeps its value when something else of it fails, and that is a failure of the dispatch as anywhere', () => {
    const run = ran(sweep(names, body, { output: 2 }), world(['note[0]'], { load: 1 }));
    expect(collected(run)).toMatchObject({ elements: [valueNamed('score[0]')] });
    expect(verdictOf(run.state, false)).toMatchObject({ status: 'completed', errors: [{ node: 'note[0]' }] });
    failFast(run.state);
    expect(run.state.cancelled).toBe('failFast: note[0] failed');
  });

  it('that is an inner lattice is rejected with what that failed of', () => {
    const run = ran(sweep(['draw'], [electron(2, [item]), inner('fit', 0)]), world(['fit[1]'], { load: 2 }));
    expect(collected(run)).toMatchObject({
      elements: [valueNamed('fit[0]'), { node: 'fit[1]', message: 'inner: fit[1] threw' }],
    });
    expect(verdictOf(run.state, false)).toEqual({ status: 'completed', errors: [] });
  });
});

describe('a map in a map', () => {
  const nested = (outer: boolean, within: boolean): WireGraph =>
    graphOf(
      ['load', 'cell'],
      [
        electron(0),
        map('rows', 0, [map('row', item, [electron(1, [item])], { collects: within })], { collects: outer }),
      ],
    );
  const lengths = { load: 2, 'rows item 0': 2, 'rows item 1': 1 };
  const elementsOf = (run: LatticeRun, name: string): unknown =>
    run.seen.find((effect) => effect.type === 'compose' && run.state.plan.nameOf(effect.map) === name);

  it('that fails with one of its items is collected with what that failed of', () => {
    const run = ran(nested(true, false), world(['cell[0][1]'], lengths));
    expect(run.statuses()).toMatchObject({ 'row[0]': 'failed', 'row[1]': 'completed', rows: 'completed' });
    expect(elementsOf(run, 'rows')).toMatchObject({ elements: [threw('cell[0][1]'), { length: 1 }] });
    expect(verdictOf(run.state, false)).toEqual({ status: 'completed', errors: [] });
  });

  it('that collects fails nothing around it', () => {
    const run = ran(nested(false, true), world(['cell[0][1]'], lengths));
    expect(elementsOf(run, 'row[0]')).toMatchObject({ elements: [valueNamed('cell[0][0]'), threw('cell[0][1]')] });
    expect(verdictOf(run.state, false)).toEqual({ status: 'completed', errors: [] });
  });
});

describe('a cancel', () => {
  const graph = sweep(['train'], [electron(2, [item])]);
  /** `load` has ended, and the map's two items are being worked on. */
  const started = (): LatticeRun => {
    const run = new LatticeRun(graph, world([], { load: 2 }));
    run.state.assigned(0);
    run.finish(0);
    const [slice] = run.asks.splice(0);
    if (slice !== undefined) run.answer(slice);
    for (const node of run.ready.splice(0)) if (run.state.assigned(node)) run.working.add(node);
    return run;
  };

  it('of one item rejects it', () => {
    const run = started();
    run.state.cancel('not this one', [3]);
    run.carryOut();
    run.run(randomFrom(1));
    expect(collected(run)).toMatchObject({
      elements: [{ node: 'train[0]', code: 'CANCELLED', message: 'cancelled' }, valueNamed('train[1]')],
    });
    expect(verdictOf(run.state, false)).toEqual({ status: 'completed', errors: [] });
  });

  it.each([undefined, [1]])('of all, or of the map, cancels the map (%o)', (nodes) => {
    const run = started();
    run.state.cancel('enough', nodes);
    run.carryOut();
    run.run(randomFrom(1));
    expect(run.statuses()).toMatchObject({ sweep: 'cancelled', 'train[0]': 'cancelled', 'train[1]': 'cancelled' });
    expect(collected(run)).toBeUndefined();
    expect(verdictOf(run.state, nodes === undefined).status).toBe('cancelled');
  });
});
