/** Lattices inside others while the hub dies between any two of its batches of records: the same values, each inner dispatch once, nothing left that lives. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { after, electron, lattice } from '../../../sdk/index.ts';
import { encodeDispatch, encodeElectron, keys } from '../../../store/records.ts';
import type { WriteOp } from '../../../store/store.ts';
import { CrashingHub } from '../../support/crashing-hub.ts';

let hub: CrashingHub;
afterEach(() => hub.close());

const add = electron(function add(a: number, b: number): number {
  return a + b;
});
const list = electron(function list(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
});
const endless = electron(async function endless(n: number): Promise<number> {
  await hub.clock.sleep(Number.POSITIVE_INFINITY);
  return n;
});
const breaks = electron(function breaks(n: number): number {
  throw new Error(`broken ${n}`);
});

/** The crashes begin when it has slept. */
const hour = electron(async function hour(n: number): Promise<number> {
  await hub.clock.sleep('1h');
  return n;
});

const plusTen = lattice(function plusTen(x: number) {
  return add(x, 10);
});
const twice = lattice(function twice(x: number) {
  return add(plusTen(x), plusTen(add(x, 0)));
});
const all = lattice(function all(n: number) {
  const begun = hour(n);
  return { known: after(begun, () => plusTen(1)), later: twice(begun), each: list(begun).map(plusTen) };
});
const waits = lattice(function waits(n: number) {
  return add(endless(n), 1);
});
const outer = lattice(function outer(n: number) {
  return { later: waits(add(n, 0)), known: [1, 2, 3, 4, 5, 6].map((each) => waits(each)) };
});
const fails = lattice({ failFast: true }, function fails(n: number) {
  return [waits(1), list(2).map(waits), breaks(hour(n)), waits(hour(n))];
});

/** `step` with a crash after 1, 2, … batches, until it is over before that; how often it crashed. */
async function crashes(step: (batches: number) => Promise<boolean>): Promise<number> {
  for (let batches = 1; ; batches++) if (!(await step(batches))) return batches - 1;
}

describe.each([
  ['with a supervisor each', { mostWaiting: 1_024, slots: 8 }],
  ['that mostly wait as rows', { mostWaiting: 1, slots: 4 }],
])('inner dispatches %s', { timeout: 120_000 }, (_, options) => {
  beforeEach(async () => {
    hub = new CrashingHub(options);
    await hub.start();
  });

  it('give the same after a crash between any two batches', async () => {
    const points = await crashes(async (batches) => {
      const id = await hub.dispatch(all, 3);
      const hit = await hub.crashAfter(batches, () => hub.hasEnded(id));
      await hub.ends(id);
      expect(await hub.valueOf(id), `a crash after batch ${batches}`).toEqual({
        known: 11,
        later: 26,
        each: [10, 11, 12],
      });
      expect(hub.live()).toEqual([]);
      const names = hub.inside(id).map(({ lattice: { name } }) => name);
      expect(names.sort()).toEqual(['plusTen', 'plusTen', 'plusTen', 'plusTen', 'plusTen', 'plusTen', 'twice']);
      return hit;
    });
    expect(points).toBeGreaterThan(20);
  });

  it('end with the outer one that is cancelled, after a crash between any two batches', async () => {
    const points = await crashes(async (batches) => {
      const id = await hub.dispatch(outer, 3);
      await hub.clock.advance('1s');
      expect(hub.inside(id).length).toBeGreaterThanOrEqual(3);
      hub.sdk.cancel(id).catch(() => undefined); // its answer may be lost with the hub
      const hit = await hub.crashAfter(batches, () => hub.hasEnded(id));
      const { cancel } = hub.record(id);
      if (cancel === undefined) await hub.until('cancel', hub.sdk.cancel(id));
      expect([(await hub.ends(id)).status, hub.live()], `a crash after batch ${batches}`).toEqual(['cancelled', []]);
      return hit;
    });
    expect(points).toBeGreaterThan(2);
  });

  it('end with the outer one that fails fast, after a crash between any two batches', async () => {
    const points = await crashes(async (batches) => {
      const id = await hub.dispatch(fails, 3);
      const hit = await hub.crashAfter(batches, () => hub.hasEnded(id));
      expect([(await hub.ends(id)).status, hub.live()], `a crash after batch ${batches}`).toEqual(['failed', []]);
      return hit;
    });
    expect(points).toBeGreaterThan(5);
  });

  it('end with the outer one whose cancel reached no record of theirs, in whatever order they are recovered', async () => {
    // ids of one moment are in no order
    const ids = await hub.until('all', Promise.all(Array.from({ length: 50 }, () => hub.dispatch(outer, 3))));
    await hub.clock.advance('1s');
    const ops = ids.flatMap((id): WriteOp[] => {
      const record = encodeDispatch({ ...hub.record(id), cancel: 'by the user' });
      return [
        { op: 'put', key: keys.dispatch(id), value: record },
        ...[...hub.electrons(id)].flatMap(([node, one]): WriteOp[] =>
          one.status === 'running'
            ? [{ op: 'put', key: keys.electron(id, node), value: encodeElectron({ ...one, status: 'cancelling' }) }]
            : [],
        ),
      ];
    });
    expect(ops.length).toBeGreaterThan(50 * 6);
    await hub.restartWith(ops);
    for (const id of ids) expect((await hub.ends(id)).status).toBe('cancelled');
    expect(hub.live()).toEqual([]);
  });

  it('end once when they and the outer one are cancelled at the same time', async () => {
    for (const first of ['outer', 'inner']) {
      const id = await hub.dispatch(outer, 3);
      await hub.clock.advance('1s');
      const inside = hub.inside(id).map((one) => one.id);
      const wanted = first === 'outer' ? [id, ...inside] : [...inside, id];
      await hub.until('cancels', Promise.all(wanted.map((one) => hub.sdk.cancel(one))));
      expect([(await hub.ends(id)).status, hub.live()], first).toEqual(['cancelled', []]);
      for (const one of hub.inside(id)) expect(hub.record(one.id).status).toBe('cancelled');
    }
  });

  it('that ended before a restart are heard of after it, though no record of the outer one says so', async () => {
    const id = await hub.dispatch(all, 3);
    await hub.ends(id);
    const value = await hub.valueOf(id);
    const { startedAt = 0, seq } = hub.record(id);
    const running = hub.inside(id).flatMap(({ outer: of }): WriteOp[] => {
      const record = of?.dispatch === id ? hub.electrons(id).get(of.node) : undefined;
      if (of === undefined || record === undefined) return [];
      const { value: _, endedAt: __, ...rest } = record;
      return [{ op: 'put', key: keys.electron(id, of.node), value: encodeElectron({ ...rest, status: 'running' }) }];
    });
    expect(running).toHaveLength(5);
    await hub.restartWith([
      ...running,
      { op: 'put', key: keys.dispatch(id), value: encodeDispatch({ status: 'running', startedAt, seq, errors: [] }) },
      { op: 'put', key: keys.live(id), value: new Uint8Array() },
    ]);
    expect((await hub.ends(id)).status).toBe('completed');
    expect(await hub.valueOf(id)).toEqual(value);
  });

  it('are cancelled when the outer one has ended without them', async () => {
    const id = await hub.dispatch(outer, 3);
    await hub.clock.advance('1s');
    const inside = hub.inside(id);
    const failed = encodeDispatch({ ...hub.record(id), status: 'failed', endedAt: 1 });
    await hub.restartWith([
      { op: 'put', key: keys.dispatch(id), value: failed },
      { op: 'remove', key: keys.live(id) },
    ]);
    for (const one of inside) expect((await hub.ends(one.id)).status).toBe('cancelled');
    expect(hub.live()).toEqual([]);
  });
});
