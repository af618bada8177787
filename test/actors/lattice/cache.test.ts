/** Values taken from the cache: whose, how old, and that an entry is never there without its value. */
import { describe, expect, it, vi } from 'vitest';
import { Reuse } from '../../../actors/lattice/reuse.ts';
import { LatticeState } from '../../../actors/lattice/state.ts';
import type { RecordOp } from '../../../bus/protocol/results.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import type { CacheDef, WireGraph } from '../../../model/graph.ts';
import { Plan } from '../../../model/plan.ts';
import type { DispatchSpec } from '../../../model/records.ts';
import type { MemoryStore } from '../../../store/memory-store.ts';
import { decodeCached, decodeElectron, decodeExpansion, keys, nodeOfKey } from '../../../store/records.ts';
import { settle } from '../support/fake-clock.ts';
import { def, electron, graphOf, map, randomFrom, randomGraph } from '../support/graphs.ts';
import { dispatchId, specOf } from '../support/hub-world.ts';
import { id, LatticeHub, type Given } from '../support/lattice-hub.ts';

const OLD = dispatchId(7);
const given: Given = { fails: (name) => name.includes('bad'), length: (name) => (name === 'list' ? 3 : undefined) };

const cached = (
  graph: WireGraph,
  cache: CacheDef = {},
  names = graph.electrons.map(({ name }) => name),
): WireGraph => ({
  ...graph,
  electrons: graph.electrons.map((one) => (names.includes(one.name) ? { ...one, cache } : one)),
});
/** a → b → c */
const chain = graphOf(['a', 'b', 'c'], [electron(0), electron(1, [0]), electron(2, [1])]);

const entries = (store: MemoryStore) =>
  [...store.range(keys.allCached)].map(({ key, value }) => ({ key, ...decodeCached(value) }));

/** A hub that has `old`'s records and cache, as those of dispatch OLD of `user`, and begins `graph`. */
function after(
  old: LatticeHub,
  graph: WireGraph,
  spec: Partial<DispatchSpec> = {},
  over: Partial<Given> = {},
): LatticeHub {
  return new LatticeHub(graph, { ...given, ...over }, spec, 'turn', async ({ results }, bytes) => {
    const before = encodeGraph(chain);
    results.write({ op: 'value', digest: digestOf(bytes), bytes });
    results.write({ op: 'accept', spec: specOf(OLD, { graph: valueInfoOf(before) }), contentDigest: digestOf(before) });
    for (const { value } of old.store.range(keys.expansionsOf(id)))
      results.write({ op: 'expansion', id: OLD, record: decodeExpansion(value) });
    for (const { key, value } of old.store.range(keys.electronsOf(id))) {
      const record = decodeElectron(value);
      const bytesOf = record.value === undefined ? undefined : old.store.smallValue(record.value.digest);
      if (bytesOf !== undefined) results.write({ op: 'value', digest: digestOf(bytesOf), bytes: bytesOf });
      results.write({ op: 'electron', id: OLD, node: nodeOfKey(key), was: undefined, record });
    }
    for (const { key, from, at } of entries(old.store)) {
      const [, user = '', digest] = key.split('/');
      results.write({ op: 'cached', user, key: digestNamed(digest), from: { ...from, dispatch: OLD }, at });
    }
    await results.flushed();
  });
}
const known = new Map<string, ReturnType<typeof digestOf>>();
/** The keys are digests: as what they are. */
function digestNamed(text = ''): ReturnType<typeof digestOf> {
  const digest = known.get(text);
  if (digest === undefined) throw new Error(`${text} is no key`);
  return digest;
}
async function run(graph: WireGraph, spec: Partial<DispatchSpec> = {}): Promise<LatticeHub> {
  const hub = new LatticeHub(graph, given, spec);
  const { results } = hub.world;
  const write = results.write.bind(results);
  results.write = (...ops: readonly RecordOp[]) => {
    for (const op of ops) if (op.op === 'cached') known.set(op.key, op.key);
    write(...ops);
  };
  return hub.run(() => 0);
}

async function statuses(hub: LatticeHub): Promise<Record<string, string>> {
  await settle(10);
  await hub.run(() => 0);
  expect(hub.world.crashes).toEqual([]);
  return hub.statuses();
}

describe('the cache', () => {
  it('gives values to any later dispatch of the user, which asks no agent, and says where they are from', async () => {
    const graph = cached(chain);
    const hub = after(await run(graph), graph);
    await settle(40);
    expect(hub.statuses()).toEqual({ a: 'reused', b: 'reused', c: 'reused' });
    expect(hub.dispatch()).toMatchObject({ status: 'completed', counts: { reused: 3 } });
    expect(hub.record(1)?.from).toEqual({ dispatch: OLD, node: 1 });
    const other = after(await run(graph), graph, { user: 'lee' });
    expect(await statuses(other)).toEqual({ a: 'completed', b: 'completed', c: 'completed' });
  });

  it('is only for electrons that ask for it, and each is found wherever it stands', async () => {
    const graph = cached(chain, {}, ['b']);
    expect(entries((await run(graph)).store)).toHaveLength(1);
    expect(await statuses(after(await run(graph), graph))).toEqual({ a: 'completed', b: 'reused', c: 'completed' });
    const moved = cached(graphOf(['new', 'b', 'a'], [electron(0), electron(2), electron(1, [1])]), {}, ['b']);
    expect(await statuses(after(await run(graph), moved))).toEqual({ new: 'completed', a: 'completed', b: 'reused' });
    // one that may be looked up by others and doesn't look itself
    expect(await statuses(after(await run(graph), chain))).toMatchObject({ b: 'completed' });
  });

  it.each<[string, CacheDef, Partial<DispatchSpec>, string]>([
    ['other code', {}, { codes: { b: digestOf(Buffer.from('edited')) } }, 'completed'],
    ['another captured variable', {}, { captures: { b: { k: 1 } } }, 'completed'],
    ['another key', { key: 'v2' }, {}, 'completed'],
    ['another command line', {}, { argv: ['x'] }, 'reused'],
    ['a ttl', { ttlMs: 1_000 }, {}, 'reused'],
  ])('by %s', async (_, cache, spec, wanted) => {
    const before = await run(cached(chain, {}, ['b']));
    expect(await statuses(after(before, cached(chain, cache, ['b']), spec))).toMatchObject({ b: wanted });
  });

  it('gives nothing that is older than the ttl of who asks; what is taken stays as old as it was', async () => {
    const before = await run(cached(chain));
    const [made] = entries(before.store);
    const look = async (graph: WireGraph, laterMs: number): Promise<LatticeHub> => {
      const hub = after(before, graph);
      hub.world.clock.wall = (made?.at ?? 0) + laterMs;
      await statuses(hub);
      return hub;
    };
    const young = await look(cached(chain, { ttlMs: 60_000 }), 59_999);
    expect(young.statuses()).toMatchObject({ a: 'reused', b: 'reused', c: 'reused' });
    expect(entries(young.store)).toHaveLength(3);
    expect(entries(young.store).every(({ from, at }) => from.dispatch === id && at === made?.at)).toBe(true);
    const old = await look(cached(chain, { ttlMs: 60_000 }), 60_000);
    expect(old.statuses()).toMatchObject({ a: 'completed', b: 'completed', c: 'completed' });
    expect(entries(old.store).every(({ from, at }) => from.dispatch === id && at >= (made?.at ?? 0) + 60_000)).toBe(
      true,
    );
    expect((await look(cached(chain), 1e12)).statuses()).toMatchObject({ a: 'reused' });
  });

  it('never has what failed, was skipped or cancelled', async () => {
    const graph = cached(graphOf(['a', 'bad', 'c'], [electron(0), electron(1, [0]), electron(2, [1])]));
    const before = await run(graph);
    expect(entries(before.store).map(({ from }) => from.node)).toEqual([0]);
    const healed = after(before, graph, {}, { fails: () => false });
    expect(await statuses(healed)).toEqual({ a: 'reused', bad: 'completed', c: 'completed' });
  });

  it('serves items of maps one by one', async () => {
    const graph = cached(
      graphOf(['list', 'a', 'c'], [electron(0), map('m', 0, [electron(1, [{ item: 0 }])]), electron(2, [1])]),
      {},
      ['a'],
    );
    const longer = after(await run(graph), graph, {}, { length: (name) => (name === 'list' ? 4 : undefined) });
    expect(await statuses(longer)).toMatchObject({ 'a[0]': 'reused', 'a[2]': 'reused', 'a[3]': 'completed' });
  });

  it('and values of the dispatch that this one was made from come together: that one first', async () => {
    const graph = cached(chain, {}, ['b']);
    const hub = after(await run(graph), graph, { origin: { of: dispatchId(9), root: dispatchId(9), reuse: true } });
    expect(await statuses(hub)).toEqual({ a: 'completed', b: 'reused', c: 'completed' });
  });

  it('that can’t be asked is as if it had nothing, and of what is over nothing is asked', async () => {
    const graph = cached(chain);
    const state = new LatticeState(new Plan(graph), () => true);
    const written: unknown[] = [];
    const fails = { ask: () => Promise.reject(new Error('no')), write: (op: unknown) => written.push(op) };
    const reuse = new Reuse({
      spec: specOf(id),
      state,
      results: fails,
      clock: { now: () => 0 },
      more: () => undefined,
    });
    state.start();
    for (const effect of state.takeEffects()) if (effect.type === 'judge') reuse.add(effect.node);
    expect(reuse.go()).toBe(true);
    await settle(1);
    expect([reuse.go(), state.takeEffects(), written]).toEqual([true, [{ type: 'ready', node: 0 }], []]);
    const hub = new LatticeHub(graph, given);
    hub.tell({ type: 'lattice.cancel', request: 1, reason: 'enough' });
    await settle(40);
    expect(hub.dispatch().status).toBe('cancelled');
  });

  it('has an entry in the batch of its record, whatever is asked in that turn', async () => {
    const shape = graphOf(['list', 'd', 'f'], [electron(0), electron(1), map('m', 0, [electron(2, [{ item: 0 }])])]);
    const graph = cached(shape, {}, ['list', 'd']);
    const hub = after(await run(graph), graph);
    const { store } = hub;
    const write = store.write.bind(store);
    const recorded: [number, boolean][] = [];
    store.write = (ops) => {
      const done = write(ops);
      for (const op of ops) {
        if (op.op !== 'put' || !op.key.startsWith(keys.allCached.start)) continue;
        const { dispatch, node } = decodeCached(op.value).from;
        if (dispatch === id) recorded.push([node, store.get(keys.electron(id, node)) !== undefined]);
      }
      return done;
    };
    // The map asks for the values of its list.
    expect(await statuses(hub)).toMatchObject({ list: 'reused', d: 'reused', 'f[2]': 'completed' });
    expect(recorded).toEqual([
      [0, true],
      [1, true],
    ]);
  });

  it('has no entry before its record, and one only', async () => {
    const state = new LatticeState(new Plan(cached(chain)), () => true);
    const value = valueInfoOf(Buffer.from('x'));
    const from = { dispatch: OLD, node: 0 };
    const written: RecordOp[] = [];
    const results = { ask: vi.fn(), write: (op: RecordOp) => written.push(op) };
    results.ask.mockResolvedValue({ found: [{ value, from, at: 5 }] });
    const reuse = new Reuse({ spec: specOf(id), state, results, clock: { now: () => 0 }, more: () => undefined });
    state.start();
    reuse.add(0);
    reuse.go();
    await settle(1);
    reuse.go();
    expect([state.status(0), written]).toEqual(['reused', []]);
    for (const node of [1, 0, 0]) reuse.settled(node);
    expect(written).toEqual([expect.objectContaining({ op: 'cached', from: { dispatch: id, node: 0 }, at: 5 })]);
  });

  it('after a power cut at any step names only what is there, and gives what would have been made', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const plain = randomGraph(seed, 6);
      const graph = cached(
        plain,
        {},
        plain.electrons.map(({ name }) => name).filter((_, i) => i % 3 !== 0),
      );
      const before = await run(graph);
      const random = randomFrom(seed);
      const hub = random(2) === 0 ? after(before, graph) : new LatticeHub(graph, given);
      const whole = (store: MemoryStore): void => {
        for (const { from } of entries(store)) {
          const record = store.get(keys.electron(from.dispatch, from.node));
          const { status, value } = record === undefined ? { status: 'waiting' } : decodeElectron(record);
          expect([seed, status]).toEqual([seed, expect.stringMatching(/^(completed|reused)$/)]);
          expect(value !== undefined && store.valueSize(value.digest) !== undefined).toBe(true);
        }
      };
      await settle(8);
      for (let cuts = random(4); cuts > 0; cuts--) {
        for (let steps = random(6); steps > 0; steps--) {
          await hub.step(random);
          whole(hub.store);
        }
        if (hub.store.get(keys.dispatch(id)) !== undefined && hub.dispatch().status !== 'completed')
          await hub.powerCut();
        whole(hub.store);
      }
      await hub.run(random);
      whole(hub.store);
      const wanted = before.statuses();
      for (const [name, status] of Object.entries(hub.statuses()))
        expect([`${seed} ${name}`, status === 'reused' ? 'completed' : status]).toEqual([
          `${seed} ${name}`,
          wanted[name],
        ]);
      expect(hub.world.crashes).toEqual([]);
    }
  });

  it('is asked for at most a thousand keys in a turn', async () => {
    const many = 2_500;
    const graph = cached(
      graphOf(
        ['a'],
        Array.from({ length: many }, (_, i) => electron(0, [], i === 0 ? [] : [0])),
      ),
    );
    const state = new LatticeState(new Plan(graph), () => true);
    const sizes: number[] = [];
    const results = {
      ask: (_: string, { keys: wanted = [] }: { readonly keys?: readonly string[] }) => {
        sizes.push(wanted.length);
        return Promise.reject(new Error('not now'));
      },
      write: () => undefined,
    };
    let more = 0;
    const reuse = new Reuse({ spec: specOf(id), state, results, clock: { now: () => 0 }, more: () => more++ });
    for (let node = 0; node < many; node++) reuse.add(node);
    for (let turn = 0; turn < 3; turn++) {
      while (reuse.go());
      reuse.turn();
    }
    expect([sizes, more]).toEqual([[1_000, 1_000, 500], 2]);
  });

  it('costs electrons without it nothing: they are not judged, and nobody is asked', async () => {
    const hub = new LatticeHub(chain, given);
    const asked: string[] = [];
    const ask = hub.world.results.ask.bind(hub.world.results);
    hub.world.results.ask = (type, ...rest) => (asked.push(type), ask(type, ...rest));
    await hub.run(() => 0);
    expect([asked, entries(hub.store)]).toEqual([[], []]);
    const state = new LatticeState(new Plan(graphOf(['a'], [electron(0)])), (one) => def('a').name === String(one));
    state.start();
    expect(state.takeEffects()).toEqual([{ type: 'ready', node: 0 }]);
  });
});
