/** Dispatches that wait for their turn without a supervisor: the dispatcher with a result manager and stand-ins for supervisors and matchmaker. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { graphCache } from '../../../actors/caches.ts';
import { Dispatcher, isDispatcherMessage } from '../../../actors/dispatcher/dispatcher.ts';
import type { Message } from '../../../actors/system.ts';
import type { LatticeMessage } from '../../../bus/protocol/actors.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { IDENTITY_ELECTRON, type WireGraph } from '../../../model/graph.ts';
import { isDispatchId, type DispatchId } from '../../../model/ids.ts';
import { decodeDispatch, keys } from '../../../store/records.ts';
import { settle } from '../support/fake-clock.ts';
import { electron, graphOf } from '../support/graphs.ts';
import { makeHubWorld, type Delivered, type HubWorld } from '../support/hub-world.ts';

const isLattice = (message: Message): message is LatticeMessage => message.type.startsWith('lattice.');
const simple = graphOf([IDENTITY_ELECTRON], [electron(0)]);
const MOST = 2;

let world: HubWorld;
let dispatcher: Dispatcher;
/** What each supervisor got, in the order in which they began. */
let begun: Map<DispatchId, Delivered<LatticeMessage>[]>;
/** Priorities of what waits at the matchmaker; a test takes from it. */
let queued: number[];
let told: unknown[];
/** Of what is being submitted. */
let priority: number;
/** Supervisors that begin ask for an agent. */
let asking: boolean;

function begin(): void {
  const { system, results, clock, logs } = world;
  begun = new Map();
  told = [];
  priority = 0;
  asking = true;
  let random = 0;
  dispatcher = new Dispatcher({
    system,
    results,
    clock,
    log: logs.log,
    randomBytes: (count) => Uint8Array.from({ length: count }, (_, i) => (i < 4 ? (random++ >> 2) >> (5 * i) : 0)),
    graphs: graphCache(),
    publish: () => undefined,
    agents: () => [],
    command: () => Promise.resolve(),
    unoffered: (_id, waits) => {
      told.push(waits);
      return [];
    },
    about: () => ({ version: '0', pid: 1, node: 'n1', bus: '', data: '', startedAt: 0 }),
    why: () => [],
    waitingAhead: (_key, from) => queued.filter((one) => one >= from).length,
    mostWaiting: MOST,
    spawnSupervisor: (id) => {
      begun.set(id, world.probe('lattice', id, isLattice));
      if (asking) queued.push(priority);
    },
    disposeSupervisor: (id) => system.stop(system.address('lattice', id)),
  });
  system.spawn(system.address('dispatcher', 'main'), dispatcher, isDispatcherMessage);
}
beforeEach(() => {
  world = makeHubWorld();
  queued = [];
  begin();
});
afterEach(() => world.close());

async function submit(
  key: string,
  o: { readonly priority?: number; readonly timeoutMs?: number; readonly graph?: WireGraph } = {},
): Promise<DispatchId> {
  priority = o.priority ?? 0;
  const reply = await dispatcher.handle('kim', 'submit', {
    key,
    lattice: { name: 'test', source: '' },
    graph: { bytes: encodeGraph(o.graph ?? simple) },
    args: { bytes: new Uint8Array([1, 2]) },
    argv: [],
    captures: {},
    metadata: {},
    durability: 'pipelined',
    failFast: false,
    priority,
    timeoutMs: o.timeoutMs ?? 0,
  });
  const id = typeof reply === 'object' && reply !== null && 'id' in reply ? reply.id : '';
  if (!isDispatchId(id)) throw new Error('no id');
  return id;
}
const order = (): readonly DispatchId[] => [...begun.keys()];
const status = (id: DispatchId): string =>
  decodeDispatch(world.store.get(keys.dispatch(id)) ?? new Uint8Array()).status;

/** `count` of them, one after another. */
async function several(count: number): Promise<readonly DispatchId[]> {
  const ids: DispatchId[] = [];
  for (let n = 0; n < count; n++) ids.push(await submit(`several ${n}`));
  return ids;
}
const heardBy = (id: DispatchId | undefined): readonly string[] =>
  id === undefined ? [] : (begun.get(id) ?? []).map(({ message }) => message.type);

it('those over the limit wait as rows, accepted and live, and begin in their order as others are given out (B1)', async () => {
  const ids = await several(6);
  expect(order()).toEqual(ids.slice(0, MOST));
  expect(ids.map(status)).toEqual(ids.map(() => 'accepted'));
  expect(await dispatcher.handle('kim', 'status', {})).toMatchObject({ dispatches: { live: 6 } });
  dispatcher.taken();
  await settle();
  expect(begun.size).toBe(MOST);
  queued.pop();
  dispatcher.taken();
  // What is being read counts: a second word doesn't begin another.
  dispatcher.taken();
  await settle();
  expect(order()).toEqual(ids.slice(0, MOST + 1));
  expect(heardBy(ids[MOST])).toEqual(['lattice.resume']);
  queued = [];
  dispatcher.taken();
  await settle();
  expect(order()).toEqual(ids.slice(0, 2 * MOST + 1));
});

it('the turn goes on when those that begin want no agent', async () => {
  await several(3 * MOST);
  queued = [];
  asking = false;
  dispatcher.taken();
  await settle(20);
  expect(begun.size).toBe(3 * MOST);
});

it('one of a higher priority than those that wait begins at once', async () => {
  await several(4);
  const urgent = await submit('urgent', { priority: 1 });
  expect(order()).toContain(urgent);
  const more = [await submit('u2', { priority: 1 }), await submit('u3', { priority: 1 })];
  expect(more.map((id) => begun.has(id))).toEqual([true, false]);
  queued = [];
  dispatcher.taken();
  await settle();
  // Of all that wait it is the first.
  expect(order()[MOST + 2]).toBe(more[1]);
});

it('one whose time runs never waits (B3)', async () => {
  await several(3);
  const timed = await submit('timed', { timeoutMs: 1_000 });
  expect(heardBy(timed)).toEqual(['lattice.start']);
});

it('a cancel begins one out of turn, and its supervisor gets it (B2)', async () => {
  const ids = await several(5);
  void dispatcher.handle('kim', 'cancel', { id: ids[4] });
  await settle();
  expect(heardBy(ids[4])).toEqual(['lattice.resume', 'lattice.cancel']);
  expect(begun.size).toBe(MOST + 1);
});

it('what an agent has of one begins it, once (B2)', async () => {
  const [, , third] = await several(4);
  if (third === undefined) throw new Error('none');
  dispatcher.unheard(third);
  dispatcher.unheard(third);
  await settle();
  expect(heardBy(third)).toEqual(['lattice.resume']);
  expect(begun.size).toBe(MOST + 1);
});

it('a snapshot tells what one waits for that has no supervisor', async () => {
  const ids = await several(3);
  for (const id of ids) await dispatcher.handle('kim', 'snapshot', { id });
  expect(told).toMatchObject([undefined, undefined, { requirement: { key: 'process' }, electrons: 1 }]);
});

it('after a restart those that had begun begin again, of the others so many as may wait', async () => {
  const ids = await several(6);
  const last = ids[5];
  if (last === undefined) throw new Error('none');
  world.results.write({ op: 'dispatch', id: last, record: { status: 'running', seq: 1, errors: [] } });
  await world.results.flushed();
  world.system.stop(world.system.address('dispatcher', 'main'));
  for (const id of order()) world.system.stop(world.system.address('lattice', id));
  queued = [];
  begin();
  await dispatcher.recover(ids);
  expect(new Set(order())).toEqual(new Set([...ids.slice(0, MOST), last]));
  queued = [];
  dispatcher.taken();
  await settle();
  expect(begun.size).toBe(2 * MOST + 1);
  expect(await dispatcher.handle('kim', 'status', {})).toMatchObject({ dispatches: { live: 6 } });
});
