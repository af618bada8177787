/** What a sweep removes and what it spares: V1–V4 of ADR 010. */
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { purgePage } from '../../../actors/results/purge.ts';
import { cachedValue } from '../../../actors/results/cached.ts';
import { sweep } from '../../../actors/results/sweep.ts';
import { valuesOf } from '../../../actors/results/references.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import type { ValueInfo } from '../../../model/outcome.ts';
import { openMemoryStore, type MemoryStore } from '../../../store/memory-store.ts';
import { dispatchId, specOf } from '../support/hub-world.ts';
import { done, ResultsRig } from '../support/results-rig.ts';

const HOUR = 3_600_000;
const id = dispatchId(1);
let now = 0;
let store: MemoryStore;
let rig: ResultsRig;
const open = (flush: 'turn' | 'manual' = 'turn'): void => {
  now = 1_000;
  store = openMemoryStore({ flush, monotonic: () => now });
  rig = new ResultsRig(store, () => now);
};
beforeEach(() => open());

describe('a sweep', () => {
  it('removes what no record names, and nothing else', async () => {
    const [graph, args, literal, result, item] = ['graph', 'args', 'literal', 'result', 'item'].map((x) =>
      rig.value(x),
    );
    if (!graph || !args || !literal || !result || !item) throw new Error('five');
    const bundle = await rig.blob(new Uint8Array(100_000).fill(201));
    const large = await rig.blob(new Uint8Array(100_000).fill(202));
    const small = rig.value('garbage');
    await rig.accept(specOf(id, { graph, args, bundle, literals: [literal] }));
    await rig.completed(id, 0, result);
    await rig.write({ op: 'expansion', id, record: { map: 1, base: 2, count: 3, items: [item, item, item] } });
    const positions = [0, 1, 2, 3].map((i) => rig.value(encodeValue(i, 'index')));
    now += 2 * HOUR + 1;
    expect(await sweep(rig, 0)).toEqual({ values: 3, bytes: 100_000 + small.size + 2, held: 0 });
    expect(rig.here(graph, args, literal, result, item, bundle)).toEqual(Array(6).fill(true));
    // the hub of a live dispatch may name a position by heart
    expect(rig.here(...positions)).toEqual([true, true, true, false]);
    expect(rig.here(small, large)).toEqual([false, false]);
    await rig.ended(id);
    await sweep(rig, 1);
    expect(rig.here(...positions)).toEqual(Array(4).fill(false));
    expect(store.crash().valueSize(small.digest)).toBeUndefined();
  });

  it('spares what was found within the hour, and all small values in the first hour', async () => {
    const [found, forgotten] = [rig.value('found'), rig.value('forgotten')];
    now += HOUR - 1;
    expect(await sweep(rig, 0)).toMatchObject({ values: 0, held: 2 });
    now += 1;
    expect(store.hasValue(found.digest)).toBe(true);
    expect(await sweep(rig, 1)).toMatchObject({ values: 1, held: 1 });
    expect(rig.here(found, forgotten)).toEqual([true, false]);
    now += HOUR - 1;
    await sweep(rig, 2);
    expect(rig.here(found)).toEqual([true]);
    now += HOUR + 1;
    await sweep(rig, 3);
    expect(rig.here(found)).toEqual([false]);
  });

  it('sees a record that is written where it has looked already', async () => {
    const old = rig.value('old');
    const other = rig.value('other');
    for (let node = 1; node < 1_200; node++) void rig.completed(id, node, rig.value(`v${node % 3}`));
    await rig.accept(specOf(id));
    now += 3 * HOUR;
    let pauses = 0;
    rig.onPause = () => {
      // the first electrons were looked at, and aren't looked at again
      if (++pauses === 1) void rig.write({ op: 'electron', id, node: 0, was: undefined, record: done(old) });
    };
    expect((await sweep(rig, 0)).values).toBe(1);
    expect(rig.here(old, other)).toEqual([true, false]);
    expect(rig.writer.watch).toBeUndefined();
  });

  it('removes nothing before the removal of the records that named it is on disk', async () => {
    open('manual');
    const value = await rig.blob(new Uint8Array(100_000).fill(204));
    rig.accept(specOf(id)).catch(() => undefined);
    rig.completed(id, 0, value).catch(() => undefined);
    rig.ended(id, { endedAt: 5 }).catch(() => undefined);
    store.flush();
    now += 3 * HOUR;
    const purging = purgePage(rig, { user: 'kim', endedBefore: now, dryRun: false }).catch(() => undefined);
    const sweeping = sweep(rig, 0).catch(() => undefined);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    const left = store.crash();
    expect([left.get(`e/${id}/0000000`) !== undefined, left.valueSize(value.digest)]).toEqual([true, 100_000]);
    await Promise.all([purging, sweeping]);
  });

  it('that meets a damaged record removes nothing', async () => {
    const value = rig.value('x');
    await store.write([{ op: 'put', key: `e/${id}/0000000`, value: new Uint8Array([1, 2, 3]) }]);
    now += 3 * HOUR;
    await expect(sweep(rig, 0)).rejects.toMatchObject({ code: 'DATA_DAMAGED' });
    expect(rig.here(value)).toEqual([true]);
    expect(rig.writer.watch).toBeUndefined();
  });

  it('never takes a value that a record names, in any order of accepting, ending, purging, sweeping and crashing', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('accept' as const), n: fc.nat(5), v: fc.nat(9) }),
      fc.record({ do: fc.constantFrom('outcome' as const, 'take' as const), n: fc.nat(5), v: fc.nat(9) }),
      fc.record({ do: fc.constantFrom('end' as const, 'turns' as const), n: fc.nat(5) }),
      fc.record({ do: fc.constantFrom('purge' as const, 'sweep' as const, 'flush' as const, 'crash' as const) }),
      fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(1_000, HOUR / 2, 3 * HOUR) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        open('manual');
        const known = new Map<string, ValueInfo>();
        const jobs: Promise<unknown>[] = [];
        let sweeps = 0;
        let sweeping = false;
        const whole = (where: MemoryStore): void => {
          for (const { key, value } of where.range({ start: 'a', end: 'z' }))
            for (const { digest } of valuesOf(key, value))
              if (where.valueSize(digest) === undefined) throw new Error(`${key} names ${digest}, which is gone`);
        };
        const live = new Set<number>();
        let accepted = 0;
        for (const one of steps) {
          if (one.do === 'accept') {
            // the dispatcher: found or uploaded, then written in a later turn
            const text = `v${one.v}`;
            let info = known.get(text);
            if (info === undefined || !store.hasValue(info.digest)) known.set(text, (info = rig.value(text)));
            store.pin(info.digest);
            await new Promise(setImmediate);
            accepted++;
            live.add(accepted);
            void rig.accept(specOf(dispatchId(accepted), { graph: info, args: info }));
          } else if (one.do === 'outcome' && live.size > 0) {
            const [n = 0] = [...live].slice(one.n % live.size);
            const bytes = new Uint8Array(Buffer.from(`v${one.v}`));
            const info = rig.value(bytes);
            known.set(`v${one.v}`, info);
            const from = { dispatch: dispatchId(n), node: one.n };
            const written = [
              { op: 'electron', id: from.dispatch, node: one.n, was: undefined, record: done(info) },
              { op: 'cached', user: 'kim', key: digestOf(Buffer.from(String(one.v % 3))), from, at: now },
            ] as const;
            void rig.write(...written);
          } else if (one.do === 'take' && live.size > 0) {
            // a supervisor: told, then written in a later turn
            const [n = 0] = [...live].slice(one.n % live.size);
            const found = cachedValue(store, 'kim', digestOf(Buffer.from(String(one.v % 3))));
            for (let i = 0; i < one.n; i++) await new Promise(setImmediate);
            if (found !== undefined) void rig.completed(dispatchId(n), one.n, found.value);
          } else if (one.do === 'end' && live.size > 0) {
            const [n = 0] = [...live].slice(one.n % live.size);
            live.delete(n);
            void rig.ended(dispatchId(n), { endedAt: now });
          } else if (one.do === 'purge')
            jobs.push(purgePage(rig, { user: 'kim', endedBefore: now, dryRun: false }).catch(() => undefined));
          else if (one.do === 'sweep' && !sweeping) {
            // upkeep.ts lets one run at a time
            sweeping = true;
            const over = (): void => void (sweeping = false);
            jobs.push(sweep(rig, sweeps++).then(over, over));
          } else if (one.do === 'flush') store.flush();
          else if (one.do === 'time') now += one.ms;
          else if (one.do === 'turns') for (let i = 0; i <= one.n * 3; i++) await new Promise(setImmediate);
          else if (one.do === 'crash') {
            store = store.crash();
            await Promise.all(jobs.splice(0));
            rig = new ResultsRig(store, () => now);
            for (const n of [...live]) if (store.get(`live/${dispatchId(n)}`) === undefined) live.delete(n);
            for (const n of live) rig.live.add(dispatchId(n), 1);
          }
          whole(store);
        }
        const left = store.crash();
        whole(left);
        await Promise.all(jobs);
      }),
      { numRuns: 150 },
    );
  });
});
