/** What a lattice inside a dispatch drew, as the hub reads it: it trusts no agent. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDrawn, settingsIn } from '../../../actors/lattice/drawn.ts';
import { encodeBody } from '../../../bus/codec.ts';
import type { OwnSettings } from '../../../bus/protocol/drawing.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeList } from '../../../bus/value/list.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import type { DispatchSpec, LatticeSettings } from '../../../model/records.ts';
import { until } from '../../support/until.ts';
import { settle } from '../support/fake-clock.ts';
import { def, electron, graphOf, inner } from '../support/graphs.ts';
import { dispatchId, makeHubWorld, specOf, type HubWorld } from '../support/hub-world.ts';
import { LatticeHub } from '../support/lattice-hub.ts';

let world: HubWorld;
beforeEach(() => {
  world = makeHubWorld();
});
afterEach(() => world.close());

const outer = (over: Partial<DispatchSpec> = {}): DispatchSpec => specOf(dispatchId(), over);
const NOTHING: OwnSettings = { metadata: {}, timeoutMs: 0 };
const graph = graphOf(['a'], [electron(0)]);
const head = (own: OwnSettings = NOTHING): Uint8Array =>
  Uint8Array.from(encodeBody({ graph: encodeGraph(graph), source: '() => a()', ...own }));

async function read(first: unknown, spec = outer()) {
  const list = encodeList([encodeValue(first, 'graph'), encodeValue([], 'arguments')]);
  const { value } = await world.results.ask('results.store', { bytes: list });
  return readDrawn(world.results, spec, 'inner', value.digest);
}

describe('the options of an inner lattice', () => {
  it.each<readonly [string, Partial<LatticeSettings>, Partial<OwnSettings>, Partial<LatticeSettings>]>([
    ['are none', {}, {}, { durability: 'pipelined', failFast: false, timeoutMs: 0 }],
    ['are those around it', { failFast: true, durability: 'strict' }, {}, { failFast: true, durability: 'strict' }],
    ['but for the timeout', { timeoutMs: 5_000 }, {}, { timeoutMs: 0 }],
    [
      'are its own',
      {},
      { failFast: true, durability: 'strict', timeoutMs: 7 },
      { failFast: true, durability: 'strict', timeoutMs: 7 },
    ],
    ['are its own against those around it', { failFast: true }, { failFast: false }, { failFast: false }],
    [
      'are no less durable than those around it',
      { durability: 'strict' },
      { durability: 'pipelined' },
      { durability: 'strict' },
    ],
    [
      'join both metadata',
      { metadata: { a: '1', b: '1' } },
      { metadata: { b: '2' } },
      { metadata: { a: '1', b: '2' } },
    ],
  ])('%s', (_, around, own, expected) => {
    expect(settingsIn(outer(around), { ...NOTHING, ...own })).toMatchObject(expected);
  });
});

describe('what was drawn', () => {
  it('comes with its source and gets the executors of the dispatch, below those of replaced electrons', async () => {
    const executors = { a: { executor: 'gpu', executorOptions: { queue: 'long' } } };
    const moved = await read(head(), outer({ executors }));
    expect([moved.source, moved.graph.electrons]).toEqual(['() => a()', [def('a', executors.a)]]);
    expect(moved.stored.digest).not.toBe((await read(head())).stored.digest);
    const replaced = { a: { def: def('a', { executor: 'other' }) } };
    expect((await read(head(), outer({ executors, replaced }))).graph.electrons).toEqual([replaced.a.def]);
  });

  it.each([
    ['no bytes', 'text', 'GRAPH_INVALID'],
    ['bytes of something else', new Uint8Array([1, 2, 3]), 'BAD_MESSAGE'],
    ['a graph alone', Uint8Array.from(encodeGraph(graph)), 'BAD_MESSAGE'],
    ['a timeout below zero', head({ ...NOTHING, timeoutMs: -1 }), 'BAD_MESSAGE'],
    ['too much metadata', head({ ...NOTHING, metadata: { large: 'x'.repeat(70_000) } }), 'PAYLOAD_TOO_LARGE'],
  ])('is refused when it is %s', async (_, first, code) => {
    await expect(read(first)).rejects.toMatchObject({ code });
  });

  it('is refused when its metadata and those around it are too much together', async () => {
    const metadata = (key: string): Record<string, string> => ({ [key]: 'x'.repeat(40_000) });
    await expect(
      read(head({ ...NOTHING, metadata: metadata('a') }), outer({ metadata: metadata('b') })),
    ).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
  });
});

describe('a node whose lattice was read', () => {
  it('stays what it is when a second reading fails: a supervisor that crashed had asked as well', async () => {
    const list = encodeList([encodeValue(head(), 'graph'), encodeValue([], 'arguments')]);
    const digest = digestOf(list);
    const around = graphOf([], [inner('l', { value: digest })]);
    const hub = new LatticeHub(
      around,
      { fails: () => false, length: () => undefined },
      {},
      'turn',
      async (made, bytes) => {
        await made.results.ask('results.store', { bytes: list });
        await made.results.ask('results.store', { bytes });
      },
    );
    await until(() => hub.record(0)?.status === 'running', 'it begins');
    hub.tell({ type: 'lattice.entered', node: 0, drawn: { error: { code: 'STORE_FAILED', message: 'no' } } });
    await settle();
    expect(hub.record(0)?.status).toBe('running');
    hub.world.close();
  });
});
