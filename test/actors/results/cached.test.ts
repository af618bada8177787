/** The cache's index: an entry is found as long as its electron's record is there and not being purged, and swept after that. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cachedValue } from '../../../actors/results/cached.ts';
import { purgePage } from '../../../actors/results/purge.ts';
import { removeDispatch } from '../../../actors/results/removal.ts';
import { sweep } from '../../../actors/results/sweep.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { openMemoryStore, type MemoryStore } from '../../../store/memory-store.ts';
import { keys } from '../../../store/records.ts';
import { dispatchId, specOf } from '../support/hub-world.ts';
import { done, ResultsRig } from '../support/results-rig.ts';

const HOUR = 3_600_000;
const [first, second] = [dispatchId(1), dispatchId(2)];
const key = digestOf(Buffer.from('key'));
let now: number;
let store: MemoryStore;
let rig: ResultsRig;
beforeEach(() => {
  now = 1_000;
  store = openMemoryStore({ monotonic: () => now });
  rig = new ResultsRig(store, () => now);
});
const entries = (): number => [...store.range(keys.allCached)].length;
const cached = (dispatch = first, node = 0) =>
  rig.write({ op: 'cached', user: 'kim', key, from: { dispatch, node }, at: 5 });

describe('an entry of the cache', () => {
  it('is found under its user and key, with what its electron’s record says', async () => {
    const value = rig.value('x');
    await rig.accept(specOf(first));
    await cached();
    expect(cachedValue(store, 'kim', key)).toBeUndefined();
    await rig.completed(first, 0, value);
    expect(cachedValue(store, 'kim', key)).toEqual({ value, from: { dispatch: first, node: 0 }, at: 5 });
    expect(cachedValue(store, 'lee', key)).toBeUndefined();
    expect(cachedValue(store, 'kim', digestOf(Buffer.from('other')))).toBeUndefined();
    await rig.write({
      op: 'electron',
      id: first,
      node: 0,
      was: 'completed',
      record: { ...done(value), status: 'failed' },
    });
    expect(cachedValue(store, 'kim', key)).toBeUndefined();
  });

  it('goes with its dispatch, and stays with another that took the value', async () => {
    const value = rig.value('x');
    for (const id of [first, second]) {
      await rig.accept(specOf(id));
      await rig.completed(id, 0, value);
      await rig.ended(id, { endedAt: id === first ? 1 : 3 * HOUR });
    }
    await cached();
    now += 3 * HOUR;
    await sweep(rig, 0);
    expect([entries(), cachedValue(store, 'kim', key)?.value]).toEqual([1, value]);
    await cached(second);
    await purgePage(rig, { user: 'kim', endedBefore: HOUR, dryRun: false });
    now += 3 * HOUR;
    await sweep(rig, 1);
    expect(cachedValue(store, 'kim', key)).toMatchObject({ value, from: { dispatch: second } });
    await purgePage(rig, { user: 'kim', endedBefore: now, dryRun: false });
    expect([entries(), cachedValue(store, 'kim', key)]).toEqual([1, undefined]);
    now += 3 * HOUR;
    await sweep(rig, 2);
    expect([entries(), rig.here(value)]).toEqual([0, [false]]);
  });

  it('is not found from the first batch of a purge on', async () => {
    const nodes = 1_500;
    const value = rig.value('x');
    const spec = specOf(first, { nodes });
    await rig.accept(spec);
    for (let node = 0; node < nodes; node++) void rig.completed(first, node, value);
    await rig.ended(first, { endedAt: 1 });
    await cached(first, nodes - 1);
    expect(cachedValue(store, 'kim', key)?.value).toEqual(value);
    const removed = removeDispatch(store, spec);
    expect(store.get(keys.electron(first, nodes - 1))).toBeDefined();
    expect(cachedValue(store, 'kim', key)).toBeUndefined();
    await removed;
    expect([entries(), cachedValue(store, 'kim', key)]).toEqual([1, undefined]);
  });

  it('that was told keeps its value for an hour, whatever is purged meanwhile', async () => {
    const value = rig.value('x');
    await rig.accept(specOf(first));
    await rig.completed(first, 0, value);
    await rig.ended(first, { endedAt: 1 });
    await cached();
    now += 3 * HOUR;
    expect(cachedValue(store, 'kim', key)?.value).toEqual(value);
    await purgePage(rig, { user: 'kim', endedBefore: now, dryRun: false });
    await sweep(rig, 0);
    expect([entries(), rig.here(value)]).toEqual([0, [true]]);
  });

  it('is cleared among thousands, in steps', async () => {
    const value = rig.value('x');
    await rig.accept(specOf(first));
    for (let node = 0; node < 1_300; node++) {
      if (node % 2 === 0) void rig.completed(first, node, value);
      const other = digestOf(Buffer.from(String(node)));
      void rig.write({ op: 'cached', user: `u${node % 3}`, key: other, from: { dispatch: first, node }, at: 5 });
    }
    await store.write([]);
    await sweep(rig, 0);
    expect(entries()).toBe(650);
  });

  it('that can’t be read stops the sweep', async () => {
    await store.write([{ op: 'put', key: keys.cached('kim', key), value: new Uint8Array([1]) }]);
    await expect(sweep(rig, 0)).rejects.toMatchObject({ code: 'DATA_DAMAGED' });
  });
});
