/** Why electrons were taken over from another dispatch or not, as the records of both tell it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ReuseQuestions } from '../../../actors/dispatcher/why-reuse.ts';
import { innerIdOf } from '../../../bus/inner-id.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import type { Input, WireGraph, WireNode } from '../../../model/graph.ts';
import type { DispatchId } from '../../../model/ids.ts';
import { electronStatuses } from '../../../model/lifecycle.ts';
import type { DispatchSpec, ElectronRecord, ExpansionRecord } from '../../../model/records.ts';
import { def, electron, graphOf, inner, map, valueNamed } from '../support/graphs.ts';
import { dispatchId, makeHubWorld, specOf, type HubWorld } from '../support/hub-world.ts';

const [OLD, NEW] = [dispatchId(7), dispatchId(8)];
const origin = { of: OLD, root: OLD, reuse: true };
let world: HubWorld;
let questions: ReuseQuestions;
beforeEach(() => {
  world = makeHubWorld();
  questions = new ReuseQuestions(world.results);
});

/** `completed one`: with the value "one". `reused OLD/3`: taken over from there. */
type Told = readonly (string | undefined)[];

const codes = (changed: Readonly<Record<string, string>> = {}): DispatchSpec['codes'] =>
  Object.fromEntries(
    ['a', 'b', 'c', 'list', 'work', 'new'].map((name) => [name, digestOf(Buffer.from(changed[name] ?? name))]),
  );

/** The records of a dispatch whose nodes stand like this. */
function put(
  id: DispatchId,
  graph: WireGraph,
  told: Told,
  o: { readonly spec?: Partial<DispatchSpec>; readonly expansions?: readonly ExpansionRecord[] } = {},
): void {
  const bytes = encodeGraph(graph);
  const { results } = world;
  const about = { graph: valueInfoOf(bytes), nodes: graph.nodes.length, codes: codes() ?? {}, ...o.spec };
  results.write({ op: 'value', digest: digestOf(bytes), bytes });
  results.write({ op: 'accept', spec: specOf(id, about), contentDigest: digestOf(bytes) });
  results.write({ op: 'dispatch', id, record: { status: 'running', seq: 1, errors: [] } });
  for (const record of o.expansions ?? []) results.write({ op: 'expansion', id, record });
  told.forEach((text, node) => {
    if (text === undefined) return;
    const [word, what = String(node)] = text.split(' ');
    const status = electronStatuses.find((one) => one === word) ?? 'waiting';
    const [, there] = what.split('/');
    const record: ElectronRecord = {
      status,
      attempt: status === 'reused' || status === 'skipped' ? 0 : 1,
      failures: 0,
      losses: 0,
      seq: 2,
      ...(status === 'completed' || status === 'reused' ? { value: valueNamed(what) } : {}),
      ...(there === undefined ? {} : { from: { dispatch: OLD, node: Number(there) } }),
    };
    results.write({ op: 'electron', id, node, was: undefined, record });
  });
}

/** `name, name: what is told of them`. */
async function reasons(id = NEW, only?: number): Promise<readonly unknown[]> {
  const told = await questions.ask(id, 'kim', only);
  return (told?.reasons ?? []).map(({ why, first }) => {
    const { dispatch, ...rest } = 'dispatch' in why ? why : { ...why, dispatch: '' };
    const of = dispatch === OLD ? rest : { ...rest, dispatch };
    return [first.map((node) => told?.nameOf(node)).join(' '), of];
  });
}

const called = (of: number, inputs: readonly Input[], ...template: readonly number[]): WireNode => ({
  kind: 'electron',
  electron: of,
  inputs,
  after: [],
  template: new Uint8Array(template),
});

/** a → b → c */
const chain = graphOf(['a', 'b', 'c'], [electron(0), electron(1, [0]), electron(2, [1])]);
const done: Told = ['completed A', 'completed B', 'completed C'];

describe('why', () => {
  it('of a dispatch that takes nothing over there is nothing to tell', async () => {
    put(OLD, chain, done);
    put(NEW, chain, done, { spec: { origin: { ...origin, reuse: false } } });
    expect([await reasons(OLD), await reasons(NEW)]).toEqual([[], []]);
    await expect(questions.ask(OLD, 'another')).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });

  it('of electrons with `cache` tells which were found, and of others nothing', async () => {
    const graph = { ...chain, electrons: [def('a', { cache: {} }), def('b', { cache: {} }), def('c')] };
    put(NEW, graph, ['reused OLD/3', 'completed', 'completed'], { spec: { caches: true } });
    expect(await reasons()).toEqual([
      ['a', { kind: 'reused', name: 'a' }],
      ['b', { kind: 'uncached', dispatch: NEW }],
    ]);
  });

  it('names the electron that a value was taken over from, when its dispatch is gone, too', async () => {
    const taken = ['reused OLD/0', 'reused', undefined];
    put(NEW, chain, taken, { spec: { origin } });
    const wanted = [
      ['a', { kind: 'reused', name: 'a' }],
      ['b', { kind: 'reused', name: 'b' }],
    ];
    expect(await reasons()).toEqual(wanted);
    put(OLD, chain, done);
    expect(await reasons()).toEqual(wanted);
  });

  it.each<[string, { graph?: WireGraph; spec?: Partial<DispatchSpec>; old?: Partial<DispatchSpec> }, unknown]>([
    [
      'its own code',
      { spec: { codes: codes({ b: 'edited' }) ?? {} } },
      { kind: 'code', own: true, whole: false, captured: [], options: [] },
    ],
    [
      'the bundle, which is its code',
      {
        spec: { codes: {}, bundle: valueInfoOf(Buffer.from('two')) },
        old: { codes: {}, bundle: valueInfoOf(Buffer.from('one')) },
      },
      { kind: 'code', own: true, whole: true, captured: [], options: [] },
    ],
    [
      'what it captured, and an option',
      {
        spec: { captures: { b: { k: { y: 1, x: 2 }, same: { p: 1, q: 1 } } } },
        old: { captures: { b: { k: 1, gone: 1, same: { q: 1, p: 1 } } } },
        graph: { ...chain, electrons: [def('a'), def('b', { env: { MODE: 'x' }, needs: ['gpu'] }), def('c')] },
      },
      { kind: 'code', own: false, whole: false, captured: ['k', 'gone'], options: ['env'] },
    ],
    [
      'its call',
      { graph: { ...chain, nodes: [electron(0), called(1, [0], 0x91, 1), electron(2, [1])] } },
      { kind: 'arguments' },
    ],
    [
      'how many inputs it has',
      { graph: { ...chain, nodes: [electron(0), electron(1), electron(2, [1])] } },
      { kind: 'arguments' },
    ],
    [
      'an electron that it replaced',
      {
        graph: { ...chain, electrons: [def('a'), def('new'), def('c')] },
        spec: { replaced: { b: { def: def('new') } } },
      },
      { kind: 'replaced', name: 'b' },
    ],
    [
      'an electron that was not there',
      { graph: { ...chain, electrons: [def('a'), def('new'), def('c')] } },
      { kind: 'new' },
    ],
  ])('tells of %s', async (_, { graph = chain, spec = {}, old = {} }, wanted) => {
    put(OLD, chain, done, { spec: old });
    put(NEW, graph, ['reused OLD/0', 'completed X', undefined], { spec: { origin, ...spec } });
    expect(await reasons(NEW, 1)).toEqual([[wanted === undefined ? '' : expect.stringMatching(/^(b|new)$/), wanted]]);
  });

  it('names the inputs that differ, and which of them ran', async () => {
    const graph = graphOf(
      ['a', 'b', 'c'],
      [electron(0), electron(1), electron(2, [0, 1, { value: digestOf(Buffer.from('v')) }])],
    );
    put(OLD, graph, done);
    const other = electron(2, [0, 1, { value: digestOf(Buffer.from('w')) }]);
    put(NEW, { ...graph, nodes: [...graph.nodes.slice(0, 2), other] }, ['completed A', 'completed X', 'completed Y'], {
      spec: { origin, codes: codes({ a: 'edited', b: 'edited' }) ?? {} },
    });
    const from = [
      { kind: 'node', name: 'b', ran: true },
      { kind: 'given', name: '', ran: false },
    ];
    expect(await reasons(NEW, 2)).toEqual([['c', { kind: 'input', from }]]);
  });

  it('tells what became of the one that had no value, and of one that has it since', async () => {
    const names = ['failed', 'skipped', 'cancelled', 'assigned', 'never', 'late'];
    const graph = graphOf(
      names,
      names.map((_, i) => electron(i)),
    );
    put(OLD, graph, ['failed', 'skipped', 'cancelled', 'assigned', undefined, 'completed']);
    put(
      NEW,
      graph,
      names.map(() => 'completed X'),
      { spec: { origin } },
    );
    expect(await reasons()).toEqual([
      ['failed', { kind: 'no-value', status: 'failed' }],
      ['skipped', { kind: 'no-value', status: 'skipped' }],
      ['cancelled', { kind: 'no-value', status: 'cancelled' }],
      ['assigned', { kind: 'no-value', status: 'assigned' }],
      ['never', { kind: 'no-value', status: 'waiting' }],
      ['late', { kind: 'too-late' }],
    ]);
  });

  it('is silent about what was never judged, and about what is gone says that', async () => {
    put(NEW, chain, ['failed', 'skipped', undefined], { spec: { origin } });
    expect(await reasons()).toEqual([['a', { kind: 'gone' }]]);
  });

  it('in maps: items together, or one with its position', async () => {
    const graph = graphOf(['list', 'work'], [electron(0), map('m', 0, [electron(1, [{ item: 0 }])])]);
    const items = (...names: string[]) => names.map((name) => valueNamed(name));
    put(OLD, graph, ['completed', 'completed', 'completed x', 'completed y'], {
      expansions: [{ map: 1, base: 2, count: 2, items: items('x', 'y') }],
    });
    put(NEW, graph, ['completed', 'completed', 'completed', 'reused OLD/3', 'reused OLD/2', 'completed'], {
      spec: { origin, codes: codes({ list: 'edited' }) ?? {} },
      expansions: [{ map: 1, base: 2, count: 4, items: items('z', 'y', 'x', 'w') }],
    });
    const input = { kind: 'input', from: [{ kind: 'item', name: 'm', ran: false }] };
    expect(await reasons()).toEqual([
      ['work[1] work[2]', { kind: 'reused', name: 'work' }],
      ['list', { kind: 'code', own: true, whole: false, captured: [], options: [] }],
      ['work[0]', input],
      ['work[3]', { kind: 'new' }],
    ]);
    expect(await reasons(NEW, 4)).toEqual([['work[2]', { kind: 'reused', name: 'work[0]' }]]);
    expect(await reasons(NEW, 2)).toEqual([
      ['work[0]', { ...input, from: [{ kind: 'item', name: 'm[0]', ran: false }] }],
    ]);
  });

  it('in lattices inside, wherever these stand now', async () => {
    const outer = (...names: string[]): WireGraph =>
      graphOf(names, [...names.map((_, i) => electron(i)), inner('part', names.length - 1)]);
    const [was, is] = [innerIdOf(OLD, '1'), innerIdOf(NEW, '2')];
    put(OLD, outer('a'), ['completed', 'completed']);
    put(was, chain, done);
    put(NEW, outer('new', 'a'), ['completed', 'reused OLD/0', 'completed'], { spec: { origin } });
    const about = { origin: { ...origin, by: NEW }, outer: { dispatch: NEW, node: 2, level: 1, root: NEW } };
    put(is, chain, ['completed A', 'completed X', undefined], {
      spec: { ...about, codes: codes({ b: 'edited' }) ?? {} },
    });
    expect(await reasons()).toContainEqual(['part', { kind: 'lattice', dispatch: is }]);
    expect(await reasons(is)).toEqual([
      ['a', { kind: 'too-late', dispatch: was }],
      ['b', { kind: 'code', dispatch: was, own: true, whole: false, captured: [], options: [] }],
    ]);
  });
});
