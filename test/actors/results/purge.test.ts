/** Which dispatches a purge removes, that none is ever half there, and that their space is given back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { purgePage } from '../../../actors/results/purge.ts';
import { finishRemovals } from '../../../actors/results/removal.ts';
import { sweep } from '../../../actors/results/sweep.ts';
import type { PurgePage, PurgeQuestion } from '../../../bus/protocol/results.ts';
import type { DispatchId } from '../../../model/ids.ts';
import { openLmdbStore } from '../../../store/lmdb-store.ts';
import { openMemoryStore, type MemoryStore } from '../../../store/memory-store.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { until } from '../../support/until.ts';
import { dispatchId, makeHubWorld, specOf } from '../support/hub-world.ts';
import { ResultsRig } from '../support/results-rig.ts';

const id = dispatchId(1);
const everything = { start: 'a', end: 'zz' };
const all: PurgeQuestion = { user: 'kim', endedBefore: Number.MAX_SAFE_INTEGER, dryRun: false };
const keysOf = (store: MemoryStore, part = ''): string[] =>
  [...store.range(everything)].map(({ key }) => key).filter((key) => key.includes(part));

describe('a purge', () => {
  let rig: ResultsRig;
  let store: MemoryStore;
  beforeEach(() => {
    store = openMemoryStore({ pinMs: 0 });
    rig = new ResultsRig(store, () => 0);
  });

  it('takes ended dispatches of this user that are old enough and of the statuses asked for, with all their records', async () => {
    const ended = { completed: 10, failed: 20, cancelled: 30 } as const;
    const ids = [1, 2, 3, 4, 5].map((n) => dispatchId(n));
    const [completed, failed, cancelled, live, other] = ids;
    if (!completed || !failed || !cancelled || !live || !other) throw new Error('five');
    for (const one of ids) await rig.accept(specOf(one, one === other ? { user: 'sam' } : {}));
    for (const [one, status] of [
      [completed, 'completed'],
      [failed, 'failed'],
      [cancelled, 'cancelled'],
      [other, 'completed'],
    ] as const) {
      await rig.completed(one, 0, rig.value(one));
      await rig.write({ op: 'logs', id: one, node: 0, attempt: 1, logs: { stdout: 'x', stderr: '' } });
      await rig.ended(one, { status, endedAt: ended[status] });
    }
    const before = keysOf(store);
    expect(await purgePage(rig, { ...all, dryRun: true })).toEqual({ dispatches: 3, electrons: 3 });
    expect(keysOf(store)).toEqual(before);
    expect(await purgePage(rig, { ...all, endedBefore: 9 })).toMatchObject({ dispatches: 0 });
    expect(await purgePage(rig, { ...all, statuses: ['failed'] })).toEqual({ dispatches: 1, electrons: 1 });
    expect(rig.forgotten).toEqual([failed]);
    expect(await purgePage(rig, { ...all, endedBefore: 10 })).toMatchObject({ dispatches: 1 });
    expect([completed, failed].flatMap((one) => keysOf(store, one))).toEqual([]);
    for (const one of [cancelled, live, other])
      expect(keysOf(store, one)).toEqual(before.filter((key) => key.includes(one)));
    expect(keysOf(store).filter((key) => key.startsWith('k/'))).toHaveLength(3);
    expect(await purgePage(rig, { ...all, user: 'sam' })).toMatchObject({ dispatches: 1 });
    expect(await purgePage(rig, all)).toMatchObject({ dispatches: 1 });
    expect(keysOf(store, live)).toHaveLength(3);
  });

  it('leaves what a dispatch that lives takes values over from, until that has ended', async () => {
    const [old, made] = [dispatchId(1), dispatchId(2)];
    const use = (reuse: boolean) => ({ origin: { of: old, root: old, reuse } });
    for (const reuse of [false, true]) {
      await rig.accept(specOf(old));
      await rig.ended(old, { endedAt: 1 });
      await rig.accept(specOf(made, use(reuse)));
      expect(await purgePage(rig, all)).toMatchObject({ dispatches: reuse ? 0 : 1 });
      await rig.ended(made, { endedAt: 2 });
      expect(await purgePage(rig, { ...all, endedBefore: 1 })).toMatchObject({ dispatches: reuse ? 1 : 0 });
      expect(await purgePage(rig, all)).toMatchObject({ dispatches: 1 });
      expect(keysOf(store)).toEqual([]);
    }
  });

  it('takes lattices inside others with the outermost, whatever became of them, and in whatever order they stand', async () => {
    const [before, root, behind, inmost, made] = [1, 2, 3, 4, 5].map((n) => dispatchId(n));
    if (!before || !root || !behind || !inmost || !made) throw new Error('five');
    const inside = (outer: DispatchId, level: number) => ({ outer: { dispatch: outer, node: 0, level, root } });
    await rig.accept(specOf(root));
    await rig.accept(specOf(before, inside(root, 1)));
    await rig.accept(specOf(behind, inside(root, 1)));
    await rig.accept(specOf(inmost, inside(behind, 2)));
    for (const one of [before, inmost]) await rig.ended(one, { status: 'completed', endedAt: 1 });
    expect(await purgePage(rig, all)).toMatchObject({ dispatches: 0 });
    await rig.ended(root, { status: 'failed', endedAt: 5 });
    for (const asked of [{ statuses: ['completed'] as const }, { endedBefore: 4 }])
      expect(await purgePage(rig, { ...all, ...asked })).toMatchObject({ dispatches: 0 });
    await rig.accept(specOf(made, { origin: { of: root, root, reuse: true } }));
    expect(await purgePage(rig, all)).toMatchObject({ dispatches: 0 });
    await rig.ended(made, { endedAt: 9 });
    // one of them lives on: it goes when it has ended
    expect(await purgePage(rig, { ...all, statuses: ['failed'] })).toMatchObject({ dispatches: 3 });
    expect(keysOf(store).filter((key) => key.startsWith('s/'))).toEqual([`s/${behind}`, `s/${made}`]);
    await rig.ended(behind, { status: 'cancelled', endedAt: 6 });
    expect(await purgePage(rig, all)).toMatchObject({ dispatches: 2 });
    expect(keysOf(store)).toEqual([]);
  });

  it('takes those of a page after the outermost one, whatever became of them', async () => {
    const root = dispatchId(1);
    await rig.accept(specOf(root));
    for (let n = 2; n <= 251; n++) {
      await rig.accept(specOf(dispatchId(n), { outer: { dispatch: root, node: 0, level: 1, root } }));
      await rig.ended(dispatchId(n), { status: n % 2 === 0 ? 'completed' : 'failed', endedAt: 5 });
    }
    await rig.ended(root, { status: 'completed', endedAt: 5 });
    let from: string | undefined;
    do
      ({ next: from } = await purgePage(rig, { ...all, statuses: ['completed'], ...(from !== undefined && { from }) }));
    while (from !== undefined);
    expect(keysOf(store).filter((key) => key.startsWith('s/'))).toEqual([]);
  });

  it('comes in pages that bound the work of a turn', async () => {
    for (let n = 1; n <= 250; n++) {
      void rig.accept(specOf(dispatchId(n)));
      void rig.ended(dispatchId(n), { endedAt: n });
    }
    const pages: PurgePage[] = [];
    for (let from: string | undefined; ; ) {
      const page = await purgePage(rig, from === undefined ? all : { ...all, from });
      pages.push(page);
      from = page.next;
      if (from === undefined) break;
    }
    expect(pages.map(({ dispatches }) => dispatches)).toEqual([100, 100, 50]);
    expect(keysOf(store)).toEqual([]);
  });

  it('leaves no trace of logs that come after it', async () => {
    await rig.accept(specOf(id));
    await rig.ended(id, { endedAt: 1 });
    await purgePage(rig, all);
    await rig.write({ op: 'logs', id, node: 0, attempt: 1, logs: { stdout: 'late', stderr: '' } });
    expect(keysOf(store)).toEqual([]);
  });

  it('that is cut off at any point leaves a dispatch whole or unknown, and the next one finishes', async () => {
    const electrons = 2_600;
    let cuts = 0;
    for (let flushes = 0; ; flushes++) {
      store = openMemoryStore({ flush: 'manual', pinMs: 0 });
      rig = new ResultsRig(store, () => 0);
      const written = [rig.accept(specOf(id))];
      const value = rig.value('v');
      for (let node = 0; node < electrons; node++) written.push(rig.completed(id, node, value));
      written.push(rig.ended(id, { endedAt: 1 }));
      store.flush();
      await Promise.all(written);
      let over = false;
      const purging = purgePage(rig, all).then(
        () => (over = true),
        () => undefined,
      );
      for (let i = 0; i < flushes; i++) {
        store.flush();
        await new Promise(setImmediate);
      }
      if (over) break;
      cuts++;
      const left = store.crash();
      await purging;
      const has = ['d/', 's/', 'k/'].map((kind) => keysOf(left).some((key) => key.startsWith(kind)));
      const rest = keysOf(left).filter((key) => key.startsWith('e/')).length;
      if (has[0] === true) expect([...has, rest]).toEqual([true, true, true, electrons]);
      else expect([...has, rest <= electrons, keysOf(left, 'gone/').length]).toEqual([false, false, false, true, 1]);
      const again = new ResultsRig(left, () => 0);
      const finishing = has[0] === true ? purgePage(again, all) : finishRemovals(left);
      for (let i = 0; i < 10; i++) {
        left.flush();
        await new Promise(setImmediate);
      }
      await finishing;
      expect(keysOf(left)).toEqual([]);
    }
    expect(cuts).toBeGreaterThan(3);
  });
});

describe('the result manager', () => {
  it('purges records, then values, and knows nothing of them any more', async () => {
    const world = makeHubWorld();
    const bytes = new Uint8Array(500).fill(9);
    const graph = valueInfoOf(bytes);
    world.results.write(
      { op: 'value', digest: digestOf(bytes), bytes },
      { op: 'accept', spec: specOf(id, { graph, args: graph }), contentDigest: graph.digest },
      { op: 'dispatch', id, record: { status: 'completed', seq: 1, errors: [], endedAt: 5 } },
    );
    expect(await world.results.ask('results.detail', { id, user: 'kim' })).toMatchObject({ id });
    world.clock.mono += 2 * 3_600_000;
    const ask = async (from?: string): Promise<PurgePage> => {
      const asked = world.results.ask('results.purge', from === undefined ? all : { ...all, from });
      await world.clock.advance(20);
      return asked;
    };
    expect(await ask()).toEqual({ dispatches: 1, electrons: 1, next: 'values' });
    await expect(world.results.ask('results.detail', { id, user: 'kim' })).rejects.toMatchObject({
      code: 'UNKNOWN_DISPATCH',
    });
    expect(await ask('values')).toEqual({ dispatches: 0, electrons: 0, values: 1, bytes: 500, held: 0 });
    const { sizes, existing } = await world.results.ask('results.admit', {
      user: 'kim',
      key: `key of ${id}`,
      digests: [graph.digest],
    });
    expect([sizes, existing]).toEqual([[undefined], undefined]);
    world.close();
  });

  it('sweeps every hour, and says what it removed', async () => {
    const world = makeHubWorld();
    const bytes = new Uint8Array(700).fill(8);
    await world.store.write([{ op: 'value', digest: digestOf(bytes), bytes }]);
    await world.clock.advance(3_600_000);
    await world.clock.advance(3_600_000);
    expect(world.store.valueSize(digestOf(bytes))).toBeUndefined();
    world.close();
  });
});

describe('on a disk', () => {
  let path = '';
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'polaron-purge-'));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  const blobBytes = (): number =>
    readdirSync(join(path, 'blobs'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce(
        // one that is unlinked meanwhile has none
        (sum, { parentPath, name }) => sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0),
        0,
      );
  const recordBytes = (): number => statSync(join(path, 'records', 'data.mdb')).size;

  it('files are unlinked and pages of LMDB are used again, and what a kept dispatch shares stays', async () => {
    const store = await openLmdbStore({ path, log: () => undefined, pinMs: 0 });
    const rig = new ResultsRig(store, () => Date.now());
    const shared = await rig.blob(Buffer.alloc(1_000_000, 'shared'));
    const fill = async (from: number): Promise<void> => {
      for (let n = from; n < from + 10; n++) {
        const graph = await rig.blob(Buffer.alloc(1_000_000, `of ${n} `));
        await rig.accept(specOf(dispatchId(n), { graph, literals: [shared] }));
        const written: Promise<void>[] = [];
        for (let node = 0; node < 100; node++)
          written.push(rig.completed(dispatchId(n), node, rig.value(`${n} ${node} `.padEnd(4_000, 'x'))));
        await Promise.all(written);
        await rig.ended(dispatchId(n), { endedAt: n });
      }
    };
    const clean = async (endedBefore: number): Promise<PurgePage> => {
      const page = await purgePage(rig, { ...all, endedBefore });
      return { ...page, ...(await sweep(rig, 0)) };
    };
    await fill(210);
    expect(blobBytes()).toBe(11_000_000);
    expect(await clean(218)).toMatchObject({ dispatches: 9, values: 909, bytes: 9_000_000 + 900 * 4_000 });
    await until(() => blobBytes() === 2_000_000, 'the files are unlinked');
    expect(rig.here(shared)).toEqual([true]);
    const sizes: number[] = [];
    for (let round = 1; round <= 6; round++) {
      await fill(210 + round * 10);
      await clean(218 + round * 10);
      sizes.push(recordBytes());
    }
    // pages are free for use again a commit after they were given up, and how many commits there are is the machine's doing; without that it would be three times as large
    expect(Math.max(...sizes.slice(2))).toBeLessThan((sizes[1] ?? 0) * 2);
    await until(() => blobBytes() === 2_000_000, 'the files are unlinked');
    await store.close();
  });
});
