/** Values taken over from another dispatch: what is the same by content runs no second time, whatever else changed. */
import { describe, expect, it } from 'vitest';
import { Reuse } from '../../../actors/lattice/reuse.ts';
import { ReuseTables } from '../../../actors/lattice/reuse-table.ts';
import { LatticeState } from '../../../actors/lattice/state.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import type { WireGraph } from '../../../model/graph.ts';
import type { Digest } from '../../../model/ids.ts';
import { Plan } from '../../../model/plan.ts';
import type { DispatchSpec } from '../../../model/records.ts';
import { decodeElectron, decodeExpansion, keys, nodeOfKey } from '../../../store/records.ts';
import { def, electron, graphOf, map, randomFrom, randomGraph } from '../support/graphs.ts';
import { dispatchId, specOf } from '../support/hub-world.ts';
import { id, LatticeHub, type Given } from '../support/lattice-hub.ts';
import { settle } from '../support/fake-clock.ts';

const OLD = dispatchId(7);
const given: Given = {
  fails: (name) => name.includes('bad'),
  length: (name) => (name === 'list' ? 3 : undefined),
};
const origin = { of: OLD, root: OLD, reuse: true };
const codes = (changed: Readonly<Record<string, string>> = {}): Readonly<Record<string, Digest>> =>
  Object.fromEntries(
    ['a', 'b', 'c', 'd', 'list', 'bad', 'new'].map((name) => [name, digestOf(Buffer.from(changed[name] ?? name))]),
  );

interface Made {
  readonly graph: WireGraph;
  readonly spec?: Partial<DispatchSpec>;
}

const finished = async ({ graph, spec = { codes: codes() } }: Made, over: Partial<Given> = {}): Promise<LatticeHub> =>
  new LatticeHub(graph, { ...given, ...over }, spec).run(() => 0);

/** A hub that has `old`'s records under OLD, and begins `made` from it. */
function again(old: LatticeHub, { graph, spec = { codes: codes() } }: Made, oldMade: Made, over: Partial<Given> = {}) {
  const hub = new LatticeHub(graph, { ...given, ...over }, { ...spec, origin });
  const bytes = encodeGraph(oldMade.graph);
  const { results } = hub.world;
  const about = {
    graph: valueInfoOf(bytes),
    nodes: oldMade.graph.nodes.length,
    ...(oldMade.spec ?? { codes: codes() }),
  };
  results.write({ op: 'value', digest: digestOf(bytes), bytes });
  results.write({ op: 'accept', spec: specOf(OLD, about), contentDigest: digestOf(bytes) });
  results.write({ op: 'dispatch', id: OLD, record: { status: 'running', seq: 1, errors: [] } });
  for (const { value } of old.store.range(keys.expansionsOf(id)))
    results.write({ op: 'expansion', id: OLD, record: decodeExpansion(value) });
  for (const { key, value } of old.store.range(keys.electronsOf(id))) {
    const record = decodeElectron(value);
    const given = record.value === undefined ? undefined : old.store.smallValue(record.value.digest);
    if (given !== undefined) results.write({ op: 'value', digest: digestOf(given), bytes: given });
    results.write({ op: 'electron', id: OLD, node: nodeOfKey(key), was: undefined, record });
  }
  return hub;
}

async function statusesAgain(old: Made, made: Made, over: Partial<Given> = {}): Promise<Record<string, string>> {
  const before = await finished(old);
  const hub = await again(before, made, old, over).run(() => 0);
  expect(hub.world.crashes).toEqual([]);
  return hub.statuses();
}

/** a → b → c → d */
const chain = {
  graph: graphOf(['a', 'b', 'c', 'd'], [electron(0), electron(1, [0]), electron(2, [1]), electron(3, [2])]),
};

describe('reuse', () => {
  it('takes over everything of a dispatch that is the same, and asks no agent', async () => {
    const hub = again(await finished(chain), chain, chain);
    await settle(40);
    expect(hub.statuses()).toEqual({ a: 'reused', b: 'reused', c: 'reused', d: 'reused' });
    expect(hub.dispatch()).toMatchObject({ status: 'completed', counts: { reused: 4 } });
    const before = await finished(chain);
    expect([0, 1, 2, 3].map((node) => hub.record(node)?.value)).toEqual(
      [0, 1, 2, 3].map((node) => before.record(node)?.value),
    );
    expect(hub.record(2)?.from).toEqual({ dispatch: OLD, node: 2 });
  });

  it('goes by content: what comes in front, or another order, changes nothing', async () => {
    const graph = graphOf(
      ['new', 'd', 'c', 'b', 'a'],
      [electron(0), electron(4), electron(3, [1]), electron(2, [2]), electron(1, [3], [0])],
    );
    expect(await statusesAgain(chain, { graph })).toEqual({
      new: 'completed',
      a: 'reused',
      b: 'reused',
      c: 'reused',
      d: 'reused',
    });
  });

  it('runs what has other code, and what follows only if its value is another', async () => {
    const edited = { ...chain, spec: { codes: codes({ b: 'edited' }) } };
    expect(await statusesAgain(chain, edited)).toEqual({ a: 'reused', b: 'completed', c: 'reused', d: 'reused' });
    const renamed = { graph: graphOf(['a', 'new', 'c', 'd'], chain.graph.nodes) };
    expect(await statusesAgain(chain, renamed)).toEqual({
      a: 'reused',
      new: 'completed',
      c: 'completed',
      d: 'reused',
    });
  });

  it.each<[string, Partial<DispatchSpec>, Partial<ReturnType<typeof def>>, string]>([
    ['a captured variable', { captures: { b: { k: 2 } } }, {}, 'completed'],
    ['the environment', {}, { env: { MODE: 'x' } }, 'completed'],
    ['an option that is not known here', {}, Object.fromEntries([['deps', { npm: { x: '2' } }]]), 'completed'],
    [
      'retries, needs, executor, timeouts and place',
      {},
      {
        needs: ['gpu'],
        executor: 'other',
        at: 'moved.ts:7',
        retries: { ...def('').retries, max: 3 },
        timeouts: { queueMs: 0, attemptMs: 5, totalMs: 0, silenceMs: 0 },
      },
      'reused',
    ],
    ['another electron’s captured variable', { captures: { c: { k: 1 }, b: { k: 1 } } }, {}, 'reused'],
  ])('with another value of %s', async (_, spec, over, wanted) => {
    const before = { ...chain, spec: { codes: codes(), captures: { b: { k: 1 } } } };
    const electrons = chain.graph.electrons.map((one) => (one.name === 'b' ? { ...one, ...over } : one));
    const after = { graph: { ...chain.graph, electrons }, spec: { ...before.spec, ...spec } };
    expect((await statusesAgain(before, after))['b']).toBe(wanted);
  });

  it('the code of the hooks that its lattice puts around it is its code', async () => {
    const hooks = { hooks: 'polaron:hooks:all' };
    const before = {
      graph: {
        ...chain.graph,
        electrons: chain.graph.electrons.map((one) => (one.name === 'b' ? { ...one, ...hooks } : one)),
      },
      spec: { codes: { ...codes(), [hooks.hooks]: digestOf(Buffer.from('1')) } },
    };
    const edited = { ...before, spec: { codes: { ...before.spec.codes, [hooks.hooks]: digestOf(Buffer.from('2')) } } };
    expect(await statusesAgain(before, before)).toMatchObject({ a: 'reused', b: 'reused' });
    expect(await statusesAgain(before, edited)).toMatchObject({ a: 'reused', b: 'completed', c: 'reused' });
  });

  it('without digests of code the bundle is the code', async () => {
    const bundle = (text: string) => ({ bundle: valueInfoOf(Buffer.from(text)) });
    const before = { ...chain, spec: bundle('one') };
    expect((await statusesAgain(before, { ...chain, spec: bundle('one') }))['a']).toBe('reused');
    expect((await statusesAgain(before, { ...chain, spec: bundle('two') }))['a']).toBe('completed');
  });

  it('an electron of the whole bundle’s code is another one by its name', async () => {
    const same = { codes: { a: digestOf(Buffer.from('x')), b: digestOf(Buffer.from('x')) } };
    const before = { graph: graphOf(['a'], [electron(0)]), spec: same };
    expect(await statusesAgain(before, { graph: graphOf(['b'], [electron(0)]), spec: same })).toEqual({
      b: 'completed',
    });
  });

  it('takes over what was done of one that failed, and runs the rest', async () => {
    const graph = graphOf(['a', 'bad', 'c'], [electron(0), electron(1, [0]), electron(2, [1])]);
    const healed = await statusesAgain({ graph }, { graph }, { fails: () => false });
    expect(healed).toEqual({ a: 'reused', bad: 'completed', c: 'completed' });
  });

  it('takes over items of a map, wherever they stand in it', async () => {
    const graph = graphOf(
      ['list', 'a', 'c'],
      [electron(0), map('m', 0, [electron(1, [{ item: 0 }])]), electron(2, [1])],
    );
    const longer = await statusesAgain(
      { graph, spec: { codes: codes() } },
      { graph, spec: { codes: codes({ list: 'longer' }) } },
      { length: (name) => (name === 'list' ? 4 : undefined) },
    );
    expect(longer).toEqual({
      list: 'completed',
      m: 'completed',
      'a[0]': 'reused',
      'a[1]': 'reused',
      'a[2]': 'reused',
      'a[3]': 'completed',
      c: 'completed',
    });
    const whole = again(await finished({ graph }), { graph }, { graph });
    await settle(60);
    expect(whole.statuses()).toMatchObject({ list: 'reused', 'a[2]': 'reused', m: 'completed', c: 'reused' });
  });

  it('runs all when the other dispatch is gone', async () => {
    const hub = new LatticeHub(chain.graph, given, { origin });
    await hub.run(() => 0);
    expect(hub.statuses()).toEqual({ a: 'completed', b: 'completed', c: 'completed', d: 'completed' });
  });

  it('is over when it is cancelled before it could look', async () => {
    const hub = again(await finished(chain), chain, chain);
    hub.tell({ type: 'lattice.cancel', request: 1, reason: 'enough' });
    await settle(40);
    expect(hub.dispatch().status).toBe('cancelled');
    expect(hub.statuses()).toEqual({ a: 'cancelled', b: 'cancelled', c: 'cancelled', d: 'cancelled' });
  });

  it('gives the same over power cuts at any step', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const made = { graph: randomGraph(seed, 6), spec: {} };
      const before = await finished(made);
      const random = randomFrom(seed);
      const hub = again(before, made, made);
      await settle(3);
      for (let cuts = random(4); cuts > 0; cuts--) {
        for (let steps = random(6); steps > 0; steps--) await hub.step(random);
        if (hub.dispatch().status !== 'completed') await hub.powerCut();
      }
      await hub.run(random);
      const wanted = before.statuses();
      for (const [name, status] of Object.entries(hub.statuses()))
        expect([`${seed} ${name}`, status === 'reused' ? 'completed' : status]).toEqual([
          `${seed} ${name}`,
          wanted[name],
        ]);
      expect(hub.world.crashes).toEqual([]);
    }
  });
});

describe('10,000 electrons', () => {
  const N = 10_000;
  const names = Array.from({ length: N }, (_, i) => `e${i % 50}`);
  const distinct = [...new Set(names)];
  it.each([
    [
      'in a chain',
      graphOf(
        distinct,
        names.map((name, i) => electron(distinct.indexOf(name), i === 0 ? [] : [i - 1])),
      ),
    ],
    [
      'side by side',
      graphOf(
        distinct,
        names.map((name, i) => electron(distinct.indexOf(name), [], i % 50 === i ? [] : [i % 50])),
      ),
    ],
  ])('%s are taken over in turns, decided within half a second of CPU time', { timeout: 120_000 }, async (_, graph) => {
    const hub = new LatticeHub(graph, given, { origin, nodes: N }, 'turn', async ({ results }, bytes) => {
      await results.ask('results.store', { bytes });
      const spec = specOf(OLD, { graph: valueInfoOf(bytes), nodes: N });
      results.write({ op: 'accept', spec, contentDigest: digestOf(bytes) });
      results.write({ op: 'dispatch', id: OLD, record: { status: 'running', seq: 1, errors: [] } });
      const done = { status: 'completed', attempt: 1, failures: 0, losses: 0, seq: 2 } as const;
      for (let node = 0; node < N; node++) {
        const record = { ...done, value: { digest: digestOf(Buffer.from(String(node))), size: 1 } };
        results.write({ op: 'electron', id: OLD, node, was: undefined, record });
      }
      await results.flushed();
    });
    const ended = (): boolean => hub.store.get(keys.dispatch(id)) !== undefined && hub.dispatch().endedAt !== undefined;
    for (let i = 0; i < 20_000 && !ended(); i++) await settle(1);
    expect(hub.dispatch().counts).toEqual({ reused: N });
    expect(hub.ready).toEqual([]);
    expect(await leastCpuMs(3, () => decideAll(hub, graph))).toBeLessThan(500);
  });

  /** All but writing the records, which is the same for whatever ends. */
  async function decideAll(hub: LatticeHub, graph: WireGraph): Promise<void> {
    const table = await new ReuseTables(hub.world.results).of(OLD, id);
    const state = new LatticeState(new Plan(graph), () => true);
    let turns = 0;
    const spec = specOf(id, { origin });
    const { results, clock } = hub.world;
    const reuse = new Reuse({ spec, state, results, clock, load: () => Promise.resolve(table), more: () => turns++ });
    state.start();
    for (let over = false; !over; ) {
      for (const effect of state.takeEffects()) {
        if (effect.type === 'judge') reuse.add(effect.node);
        over ||= effect.type === 'ended';
      }
      if (reuse.go()) continue;
      await Promise.resolve();
      reuse.turn();
    }
    expect(turns).toBeGreaterThanOrEqual(N / 1_000);
  }

  async function leastCpuMs(times: number, work: () => Promise<void>): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < times; i++) {
      const before = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, (user + system) / 1_000);
    }
    return least;
  }
});
