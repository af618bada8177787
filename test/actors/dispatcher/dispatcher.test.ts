/** The dispatcher over the memory store, with supervisors that only listen: D1, D2, idempotency, refusals. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ADMISSION, type AdmissionLimits } from '../../../actors/dispatcher/admission.ts';
import { Dispatcher, isDispatcherMessage } from '../../../actors/dispatcher/dispatcher.ts';
import type { Message } from '../../../actors/system.ts';
import type { LatticeMessage } from '../../../bus/protocol/actors.ts';
import type { AgentStatus, SubmitReply, SubmitRequest } from '../../../bus/protocol/api.ts';
import {
  parseAgentsReply,
  parseCancelReplyBody,
  parseHubStatus,
  parseSnapshotReply,
} from '../../../bus/protocol/wire-api.ts';
import { encodeBody } from '../../../bus/codec.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { IDENTITY_ELECTRON, type WireGraph } from '../../../model/graph.ts';
import { isDispatchId, type DispatchId } from '../../../model/ids.ts';
import { decodeDispatch, decodeElectron, keys } from '../../../store/records.ts';
import { settle } from '../support/fake-clock.ts';
import { electron, graphOf, map } from '../support/graphs.ts';
import { graphCache } from '../../../actors/caches.ts';
import { dispatchId, makeHubWorld, specOf, type Delivered, type HubWorld } from '../support/hub-world.ts';

const isLattice = (message: Message): message is LatticeMessage => message.type.startsWith('lattice.');
const simple = graphOf([IDENTITY_ELECTRON], [electron(0)]);

let world: HubWorld;
let dispatcher: Dispatcher;
let supervisors: Map<DispatchId, Delivered<LatticeMessage>[]>;
let spawned: DispatchId[];
let published: string[];
let agents: readonly AgentStatus[];
let ahead: (key: string, priority: number) => number;

function begin(flush: 'turn' | 'manual' = 'turn', limits?: AdmissionLimits): void {
  world = makeHubWorld({ flush });
  supervisors = new Map();
  spawned = [];
  published = [];
  agents = [];
  ahead = () => 0;
  let random = 0;
  const { system, results, clock, logs } = world;
  dispatcher = new Dispatcher({
    system,
    results,
    clock,
    log: logs.log,
    randomBytes: (count) => Uint8Array.from({ length: count }, (_, i) => (i < 4 ? (random++ >> 2) >> (5 * i) : 0)),
    graphs: graphCache(),
    publish: ({ type, dispatch }) => published.push(`${dispatch} ${type}`),
    agents: () => agents,
    command: () => Promise.resolve(),
    unoffered: (id, waits) =>
      Array.from({ length: 30 }, (_, i) => ({
        needs: [id],
        missing: waits?.requirement.capabilities ?? [],
        electrons: i,
      })),
    about: () => ({ version: '0', pid: 1, node: 'n1', bus: '', data: '', startedAt: 0 }),
    ...(limits === undefined ? {} : { limits }),
    why: () => [],
    waitingAhead: (key, priority) => ahead(key, priority),
    mostWaiting: 2,
    spawnSupervisor: (id) => {
      spawned.push(id);
      supervisors.set(id, world.probe('lattice', id, isLattice));
      results.afterFlush(() => published.push(`${id} dispatch.started`));
    },
    disposeSupervisor: (id) => system.stop(system.address('lattice', id)),
  });
  system.spawn(system.address('dispatcher', 'main'), dispatcher, isDispatcherMessage);
  system.spawn(
    system.address('matchmaker', 'main'),
    { receive: () => undefined },
    (message): message is Message => message.type === 'lattice.gone',
  );
}
beforeEach(() => begin());
afterEach(() => world.close());

const request = (over: Partial<SubmitRequest> & { graphOf?: WireGraph } = {}): SubmitRequest => {
  const { graphOf: wire = simple, ...rest } = over;
  return {
    key: 'k1',
    lattice: { name: 'test', source: '' },
    graph: { bytes: encodeGraph(wire) },
    args: { bytes: new Uint8Array([1, 2]) },
    argv: [],
    captures: {},
    metadata: {},
    durability: 'pipelined',
    failFast: false,
    priority: 0,
    timeoutMs: 0,
    ...rest,
  };
};
const isReply = (x: unknown): x is SubmitReply => typeof x === 'object' && x !== null && 'existing' in x;
async function submit(over: Parameters<typeof request>[0] = {}, user = 'kim'): Promise<SubmitReply> {
  const reply = await dispatcher.handle(user, 'submit', request(over));
  if (!isReply(reply)) throw new Error('no reply to submit');
  return reply;
}
async function submitted(): Promise<DispatchId> {
  const { id } = await submit();
  if (!isDispatchId(id)) throw new Error(id);
  return id;
}
const stored = (id: DispatchId) => decodeDispatch(world.store.get(keys.dispatch(id)) ?? new Uint8Array());

describe('a submission', () => {
  it('is answered only when manifest, graph and arguments are on disk (D1)', async () => {
    world.close();
    begin('manual');
    let reply: SubmitReply | undefined;
    void submit().then((is) => {
      reply = is;
    });
    await settle(10);
    expect([reply, spawned.length]).toEqual([undefined, 1]);
    world.store.flush();
    await settle();
    expect(reply?.existing).toBe(false);
    const store = world.store.crash();
    const { id } = reply ?? { id: '' };
    if (!isDispatchId(id)) throw new Error('no id');
    expect(
      [store.get(keys.spec(id)), store.get(keys.dispatch(id)), store.get(keys.live(id))].every(
        (found) => found !== undefined,
      ),
    ).toBe(true);
    expect(store.hasValue(digestOf(encodeGraph(simple)))).toBe(true);
    expect(store.hasValue(digestOf(new Uint8Array([1, 2])))).toBe(true);
  });

  it('of a lattice inside another begins when its records are on disk (B4), and a cancel until then is not lost', async () => {
    world.close();
    begin('manual');
    const outer = { dispatch: dispatchId(1), node: 0, level: 1, root: dispatchId(1) };
    const spec = specOf(dispatchId(2), { outer });
    const [to, from] = [world.system.address('dispatcher', 'main'), world.system.address('lattice', outer.dispatch)];
    const heard = (): unknown => supervisors.get(spec.id)?.map(({ message }) => message.type);
    world.results.write({ op: 'accept', spec, contentDigest: spec.graph.digest });
    world.system.send(to, { type: 'dispatch.inner', spec, graph: simple }, from);
    world.system.send(to, { type: 'dispatch.leave', id: spec.id, reason: 'not wanted' }, from);
    await settle(10);
    expect([heard(), await dispatcher.handle('kim', 'status', {})]).toMatchObject([
      undefined,
      { dispatches: { live: 1 } },
    ]);
    world.store.flush();
    await settle(10);
    expect(heard()).toEqual(['lattice.start', 'lattice.cancel']);
  });

  it('starts one supervisor with its graph, and is told as accepted before that tells that it has begun', async () => {
    const id = await submitted();
    expect(supervisors.get(id)?.map(({ message }) => message)).toMatchObject([
      { type: 'lattice.start', spec: { id, user: 'kim', nodes: 1 } },
    ]);
    expect(published).toEqual([`${id} dispatch.accepted`, `${id} dispatch.started`]);
  });

  it.each([
    ['argv', ['x'.repeat(140_000)]],
    ['captures', { fit: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`v${n}`, 'y'.repeat(1_000)])) }],
    ['metadata', { note: '語'.repeat(30_000) }],
  ])('whose %s would fill messages is refused, and nothing is recorded', async (part, value) => {
    const refused = submit({ [part]: value });
    await expect(refused).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { part } });
    await expect(refused).rejects.toThrow(/: \d+ bytes; at most \d+ are taken/);
    expect([spawned, [...world.store.range(keys.allDispatches)]]).toEqual([[], []]);
    await submit({ argv: ['x'.repeat(100_000)], captures: { fit: { v: 'y'.repeat(100_000) } } });
  });

  it('with a key that is known gives the dispatch that it made, and starts nothing', async () => {
    const first = await submit();
    expect(await submit()).toEqual({ id: first.id, existing: true });
    expect(spawned).toHaveLength(1);
  });

  it('with the same key at the same time gives one dispatch, however many come', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => submit()));
    expect(new Set(replies.map(({ id }) => id)).size).toBe(1);
    expect(replies.filter(({ existing }) => !existing)).toHaveLength(1);
    expect(spawned).toHaveLength(1);
  });

  it('with the same key at the same time gives one dispatch also when its graph is too large for a record', async () => {
    const names = Array.from({ length: 3_000 }, () => IDENTITY_ELECTRON);
    const large = graphOf(
      [IDENTITY_ELECTRON],
      names.map(() => ({ ...electron(0), template: new Uint8Array(40) })),
    );
    const replies = await Promise.all([
      submit({ graphOf: large }),
      submit({ graphOf: large }),
      submit({ graphOf: large }),
    ]);
    expect(new Set(replies.map(({ id }) => id)).size).toBe(1);
    expect(spawned).toHaveLength(1);
  });

  it('with the same key at the same time gives one dispatch when the first of them fails', async () => {
    const gone = valueInfoOf(Buffer.from('gone'));
    const results = await Promise.allSettled([submit({ args: { value: gone } }), submit(), submit()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(spawned).toHaveLength(1);
  });

  it('with the key of other content is refused', async () => {
    await submit();
    await expect(submit({ args: { bytes: new Uint8Array([9]) } })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    });
    await expect(submit({ failFast: true })).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    const both = await Promise.allSettled([submit({ key: 'k2' }), submit({ key: 'k2', argv: ['x'] })]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('of another user with the same key is another dispatch', async () => {
    expect((await submit({}, 'lee')).id).not.toBe((await submit({}, 'kim')).id);
  });

  it('is refused while too many are being taken in', async () => {
    world.close();
    begin('manual');
    const many = Array.from({ length: 1_024 }, (_, i) => submit({ key: `k${i}` }));
    await expect(submit({ key: 'one more' })).rejects.toMatchObject({ code: 'HUB_BUSY' });
    for (let i = 0; i < 4; i++) {
      await settle(20);
      world.store.flush();
    }
    await Promise.all(many);
    const again = submit({ key: 'one more' });
    await settle(20);
    world.store.flush();
    await expect(again).resolves.toMatchObject({ existing: false });
  });

  it('is refused while the disk is far behind, and while as many have not ended as may be in memory', async () => {
    world.close();
    begin('manual', { ...ADMISSION, backlog: 20, dispatches: 4 });
    world.results.write(...Array.from({ length: 21 }, (_, epoch) => ({ op: 'epoch', epoch }) as const));
    await expect(submit()).rejects.toMatchObject({ code: 'HUB_BUSY' });
    const flushing = setInterval(() => world.store.flush(), 1);
    await world.results.flushed();
    for (const key of ['a', 'b', 'c', 'd']) await submit({ key });
    await expect(submit({ key: 'e' })).rejects.toMatchObject({ code: 'HUB_BUSY' });
    const [id = ''] = spawned;
    if (isDispatchId(id)) dispatcher.receive({ type: 'dispatch.ended', id });
    expect(await submit({ key: 'e' })).toMatchObject({ existing: false });
    clearInterval(flushing);
  });

  const hostile: [string, SubmitRequest, string][] = [
    [
      'a cycle',
      request({ graphOf: graphOf([IDENTITY_ELECTRON], [electron(0, [1]), electron(0, [0])]) }),
      'GRAPH_INVALID',
    ],
    ['a missing node', request({ graphOf: graphOf([IDENTITY_ELECTRON], [electron(0, [7])]) }), 'GRAPH_INVALID'],
    ['a missing electron', request({ graphOf: graphOf([], [electron(3)]) }), 'GRAPH_INVALID'],
    [
      'a map nested too deep',
      request({ graphOf: graphOf([IDENTITY_ELECTRON], [electron(0), deep(40)]) }),
      'GRAPH_INVALID',
    ],
    ['ten million nodes', { ...request(), graph: { bytes: claim(10_000_000) } }, 'GRAPH_INVALID'],
    ['no graph', { ...request(), graph: { bytes: new Uint8Array([0xc1]) } }, 'GRAPH_INVALID'],
    ['no bytes', { ...request(), graph: { bytes: new Uint8Array() } }, 'GRAPH_INVALID'],
    ['an electron without code', request({ graphOf: graphOf(['mine'], [electron(0)]) }), 'GRAPH_INVALID'],
    [
      'a value that is not here',
      request({ graphOf: graphOf([IDENTITY_ELECTRON], [electron(0, [{ value: digestOf(Buffer.from('gone')) }])]) }),
      'VALUE_MISSING',
    ],
    ['a bundle that is not here', request({ bundle: valueInfoOf(Buffer.from('gone')) }), 'VALUE_MISSING'],
    ['a graph that is not here', request({ graph: { value: valueInfoOf(Buffer.from('gone')) } }), 'VALUE_MISSING'],
  ];
  for (const [what, submission, code] of hostile)
    it(`with ${what} is refused with ${code}, quickly and without a trace`, async () => {
      const start = performance.now();
      await expect(dispatcher.handle('kim', 'submit', submission)).rejects.toMatchObject({ code });
      expect(performance.now() - start).toBeLessThan(1_000);
      expect(spawned).toEqual([]);
      expect([...world.store.range(keys.allDispatches)]).toEqual([]);
    });

  it('of wrong types is refused', async () => {
    for (const body of [
      null,
      5,
      [],
      {},
      { ...request(), key: 7 },
      { ...request(), graph: 'x' },
      { ...request(), argv: [1] },
    ])
      await expect(dispatcher.handle('kim', 'submit', body)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
  });
});

function deep(levels: number): ReturnType<typeof map> {
  let inner = map('m', { item: 0 }, [electron(0)]);
  for (let i = 0; i < levels; i++) inner = map('m', { item: 0 }, [inner]);
  return { ...inner, over: 0 };
}

/** A graph that says it has so many nodes, and ends there. */
function claim(nodes: number): Uint8Array {
  const head = Buffer.from(encodeBody([1, []])).subarray(1);
  const count = Buffer.alloc(5);
  count.writeUInt8(0xdd);
  count.writeUInt32BE(nodes, 1);
  return Buffer.concat([Buffer.from([0x94]), head, count]);
}

describe('a question', () => {
  it('for a snapshot is told at most twenty kinds of what no agent offers', async () => {
    const id = await submitted();
    const { dispatch, unoffered } = parseSnapshotReply(await dispatcher.handle('kim', 'snapshot', { id }));
    expect([dispatch.id, unoffered?.length, unoffered?.[19]]).toEqual([
      id,
      20,
      { needs: [id], missing: [], electrons: 19 },
    ]);
  });

  it('about an id that is none, of another hub, or unknown is refused with its code', async () => {
    const id = await submitted();
    const status = (of: string): Promise<unknown> => dispatcher.handle('kim', 'status', { id: of });
    await expect(status('nonsense')).rejects.toMatchObject({ code: 'UNKNOWN_DISPATCH' });
    await expect(status(`${id.slice(0, 20)}-n2`)).rejects.toMatchObject({ code: 'NOT_OWNER' });
    const typo = `${id.slice(0, 19)}${id.at(19) === 'x' ? 'y' : 'x'}-n1`;
    await expect(status(typo)).rejects.toMatchObject({ code: 'UNKNOWN_DISPATCH', details: { near: [id] } });
    await expect(dispatcher.handle('lee', 'status', { id })).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    await expect(status(id)).resolves.toMatchObject({ id, status: 'accepted' });
  });

  it('about the hub is answered', async () => {
    await submitted();
    expect(await dispatcher.handle('kim', 'status', {})).toMatchObject({
      node: 'n1',
      agents: [],
      dispatches: { live: 1 },
    });
  });
});

describe('a cancel', () => {
  const cancel = (id: string): Promise<unknown> => dispatcher.handle('kim', 'cancel', { id });
  const settled = (id: DispatchId, cancelled: readonly string[] = ['a']): void => {
    for (const { message, from } of supervisors.get(id) ?? [])
      if (message.type === 'lattice.cancel')
        world.system.send(
          from,
          { type: 'cancel.settled', request: message.request, cancelled, unconfirmed: [] },
          `n1.lattice.${id}`,
        );
  };

  it('is answered with what its supervisor says', async () => {
    const id = await submitted();
    const answer = cancel(id);
    await settle();
    settled(id);
    expect(await answer).toEqual({ cancelled: ['a'], unconfirmed: [] });
  });

  it('of more electrons than a message can name says how many more', async () => {
    const id = await submitted();
    const answer = cancel(id);
    await settle();
    const names = Array.from({ length: 100_000 }, (_, n) => `electron ${n}`);
    settled(id, names);
    const reply = parseCancelReplyBody(await answer);
    expect(reply.cancelled[9]).toBe('electron 9');
    expect(reply.cancelled.length + (reply.more ?? 0)).toBe(100_000);
    expect(encodeBody(reply).length).toBeLessThan(300_000);
  });

  it('of a dispatch that has ended cancels nothing', async () => {
    const id = await submitted();
    world.system.send('n1.dispatcher.main', { type: 'dispatch.ended', id }, `n1.lattice.${id}`);
    await settle();
    expect(await cancel(id)).toEqual({ cancelled: [], unconfirmed: [] });
    const named = (electron: string): Promise<unknown> =>
      dispatcher.handle('kim', 'cancel', { id, electrons: [electron] });
    expect(await named(IDENTITY_ELECTRON)).toEqual({ cancelled: [], unconfirmed: [] });
    await expect(named('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_ELECTRON' });
  });

  it('that meets a supervisor which is beginning again is not lost', async () => {
    const id = await submitted();
    world.system.stop(`n1.lattice.${id}`);
    const answer = cancel(id);
    await settle();
    supervisors.set(id, world.probe('lattice', id, isLattice));
    await world.clock.advance(200);
    settled(id);
    expect(await answer).toEqual({ cancelled: ['a'], unconfirmed: [] });
  });

  it('says after two minutes that agents have not confirmed', async () => {
    const id = await submitted();
    const answer = expect(cancel(id)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await settle();
    await world.clock.advance(120_000);
    await answer;
  });
});

describe('D2: a supervisor that crashes', () => {
  const crash = async (id: DispatchId): Promise<void> => {
    dispatcher.crashed(id, new Error('broken'));
    await settle(10);
  };

  it('begins again alone, from its records', async () => {
    const id = await submitted();
    const { id: other } = await submit({ key: 'other' });
    await crash(id);
    expect(spawned.filter((one) => one === id)).toHaveLength(2);
    expect(spawned.filter((one) => one === other)).toHaveLength(1);
    expect(supervisors.get(id)?.map(({ message }) => message)).toMatchObject([
      { type: 'lattice.resume', spec: { id } },
    ]);
  });

  it('more than three times in a minute fails its dispatch, and touches no other', async () => {
    const id = await submitted();
    const { id: other } = await submit({ key: 'other' });
    const token = [1, 1] as const;
    const running = { status: 'running', attempt: 1, failures: 0, losses: 0, seq: 2, token } as const;
    // As its supervisor would: that it began, then what became of its nodes.
    world.results.write({ op: 'dispatch', id, record: { status: 'running', seq: 1, errors: [] } });
    world.results.write({ op: 'electron', id, node: 0, was: undefined, record: running });
    for (let i = 0; i < 3; i++) {
      await crash(id);
      expect(stored(id).status).toBe('running');
    }
    await crash(id);
    const electron = world.store.get(keys.electron(id, 0));
    expect(electron === undefined ? undefined : decodeElectron(electron)).toMatchObject({ status: 'cancelled', token });
    expect(stored(id)).toMatchObject({ status: 'failed', errors: [{ error: { code: 'SUPERVISOR_FAILED' } }] });
    expect(stored(id).errors[0]?.error.message).toContain('4 times in a minute');
    expect(published).toContain(`${id} dispatch.failed`);
    expect(world.store.get(keys.live(id))).toBeUndefined();
    if (!isDispatchId(other)) throw new Error('no id');
    expect([stored(other).status, spawned.filter((one) => one === other).length]).toEqual(['accepted', 1]);
    expect(spawned.filter((one) => one === id)).toHaveLength(4);
  });

  it('now and then goes on', async () => {
    const id = await submitted();
    for (let i = 0; i < 10; i++) {
      await crash(id);
      await world.clock.advance(25_000);
    }
    expect(stored(id).status).toBe('accepted');
  });

  it('of one inside another hears after a restart that it is not wanted, though it was not read yet', async () => {
    const graph = encodeGraph(simple);
    const outer = { dispatch: dispatchId(1), node: 0, level: 1, root: dispatchId(1) };
    const spec = specOf(dispatchId(2), { outer, graph: valueInfoOf(graph) });
    const { digest } = spec.graph;
    const around = specOf(outer.dispatch, { graph: spec.graph });
    world.results.write({ op: 'value', digest, bytes: graph });
    for (const one of [around, spec]) world.results.write({ op: 'accept', spec: one, contentDigest: digest });
    await world.results.flushed();
    const recovered = dispatcher.recover([around.id, spec.id]);
    const [to, from] = [world.system.address('dispatcher', 'main'), world.system.address('lattice', outer.dispatch)];
    world.system.send(to, { type: 'dispatch.leave', id: spec.id, reason: 'not wanted' }, from);
    await recovered;
    await settle(10);
    await world.clock.advance(100);
    const heard = supervisors.get(spec.id)?.map(({ message }) => message.type);
    expect(heard).toEqual(['lattice.resume', 'lattice.cancel']);
  });

  it('of one inside another is none when the hub has twice what users may begin: it fails, and the one around it hears', async () => {
    begin('turn', { ...ADMISSION, dispatches: 1 });
    const around = await submitted();
    const outer = { dispatch: around, node: 0, level: 1, root: around };
    const graph = encodeGraph(simple);
    const begun = (n: number): void => {
      const spec = specOf(dispatchId(n), { outer, graph: valueInfoOf(graph) });
      const { digest } = spec.graph;
      world.results.write({ op: 'value', digest, bytes: graph }, { op: 'accept', spec, contentDigest: digest });
      const [to, from] = [world.system.address('dispatcher', 'main'), world.system.address('lattice', outer.dispatch)];
      world.system.send(to, { type: 'dispatch.inner', spec, graph: simple }, from);
    };
    begun(100);
    await settle(10);
    // whatever can't be read then
    vi.spyOn(world.results, 'ask').mockRejectedValue(new Error('late'));
    begun(101);
    await settle(10);
    expect(stored(dispatchId(100)).status).toBe('accepted');
    const message = 'no lattice inside another can begin: 2 dispatches have not ended';
    expect(stored(dispatchId(101))).toMatchObject({
      status: 'failed',
      errors: [{ error: { code: 'HUB_BUSY', message } }],
    });
    expect(supervisors.get(outer.dispatch)?.map((heard) => heard.message)).toContainEqual(
      expect.objectContaining({ type: 'lattice.left', status: 'failed', error: { code: 'HUB_BUSY', message } }),
    );
  });

  it('is put back to work after a restart of the hub', async () => {
    const id = dispatchId(5);
    await expect(dispatcher.recover([id])).rejects.toMatchObject({ code: 'UNKNOWN_DISPATCH' });
    const known = await submitted();
    world.system.stop(`n1.lattice.${known}`);
    await dispatcher.recover([known]);
    await settle();
    expect(supervisors.get(known)?.map(({ message }) => message)).toMatchObject([{ type: 'lattice.resume' }]);
  });
});

describe('of very many agents', () => {
  const some = (count: number, capabilities: readonly string[]): readonly AgentStatus[] =>
    Array.from({ length: count }, (_, n) => ({
      name: `worker-${n}`,
      site: 'lab',
      host: `host-${n}.example.org`,
      pid: n,
      slots: 64,
      running: 64,
      queued: 1_000,
      capabilities,
      version: '0.1.0',
      state: 'live',
      lastSyncMs: 1_234,
    }));

  it('an answer holds the first, in either of its forms, and says how many more there are', async () => {
    for (const capabilities of [
      ['process'],
      Array.from({ length: 500 }, (_, i) => `capability-${i}>=${'9'.repeat(30)}`),
    ]) {
      agents = some(5_000, capabilities);
      const [status, listed] = [
        await dispatcher.handle('kim', 'status', {}),
        await dispatcher.handle('kim', 'agents', {}),
      ];
      for (const reply of [parseHubStatus(status), parseAgentsReply(listed)]) {
        expect(reply.agents).toEqual(agents.slice(0, reply.agents.length));
        expect(reply.agents.length + (reply.more ?? 0)).toBe(5_000);
        expect(Math.max(encodeBody(reply).byteLength, JSON.stringify(reply).length)).toBeLessThan(1024 * 1024 - 4_096);
        expect(reply.agents.length).toBeGreaterThan(capabilities.length === 1 ? 1_000 : 10);
      }
    }
  });

  it('as many as fit are all there is', async () => {
    agents = some(500, ['process']);
    expect(await dispatcher.handle('kim', 'agents', {})).toEqual({ agents });
  });
});
