/** Maps with `onItemError: 'collect'` through a whole system: what the user gets, what is shown, what runs again. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { cancel, dispatch, dispatchSync, getResult, getValue, redispatch, watch } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { deep, heavy, measured, waiting } from './workflows/collecting.ts';

const hub = new RealHub({ start: ['--slots', '4'] });
let folder: string;
beforeAll(() => hub.start());
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'collect-'));
});
afterAll(() => hub.close());

const ran = (): readonly string[] => readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n').sort();
const cause = (node: string): object => ({ node, code: 'TASK_THREW', message: 'the sensor is off' });
const rejected = (n: number): object => ({
  status: 'rejected',
  reason: {
    node: `measure[${n}]`,
    code: 'TASK_THREW',
    message: `${n} is out of range`,
    cause: cause(`measure[${n}]`),
  },
});
const fulfilled = (value: unknown): object => ({ status: 'fulfilled', value });

it('tells of each item its value or its error, after its retries; the dispatch is completed and shows what failed', async () => {
  const id = await dispatch(measured)(folder, 5);
  const seen = new Map<string, number>();
  for await (const { type } of watch(id, { from: 'start' })) seen.set(type, (seen.get(type) ?? 0) + 1);
  const items = [fulfilled(0), rejected(1), fulfilled(10), fulfilled(15), rejected(4)];
  const value = {
    items,
    tally: '0,measure[1],10,15,measure[4]',
    statuses: ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected'],
    first: 'fulfilled',
  };
  expect(await getValue(id)).toStrictEqual(value);
  expect(ran().filter((line) => line === 'measure 1')).toHaveLength(2);
  const result = await getResult(id);
  expect(result).toMatchObject({ status: 'completed' });
  expect(result.electrons.counts).toMatchObject({ failed: 2, skipped: 2 });
  expect(await result.electrons.get('measure[1]')).toMatchObject({ status: 'failed', attempts: 2 });
  expect(await result.electrons.get('half[1]')).toMatchObject({ status: 'skipped' });
  expect([seen.get('electron.failed'), seen.get('dispatch.completed')]).toEqual([2, 1]);
  const shown = (await hub.polaron(['show', id])).out;
  expect(shown).toMatch(/completed/);
  expect(shown).toMatch(/failed\D+2|2\D+failed/);
  expect(JSON.stringify(result.lattice.graph)).toContain('"onItemError":"collect"');
  expect((await hub.polaron(['result', id])).out).toContain('the sensor is off');
  expect(await measured.local(folder, 5)).toStrictEqual(value);
});

it('taken over by a redispatch, only what failed runs again', async () => {
  const old = await dispatch(measured)(folder, 5);
  await getValue(old);
  writeFileSync(join(folder, 'ran'), '');
  writeFileSync(join(folder, 'fixed'), '');
  const made = await redispatch(old, { reusePreviousResults: true })();
  expect(await getValue(made)).toMatchObject({ items: [0, 5, 10, 15, 20].map(fulfilled), tally: '0,5,10,15,20' });
  expect(ran()).toEqual(['measure 1', 'measure 4']);
  const { counts } = (await getResult(made)).electrons;
  // upTo, and measure, half and one of three items; the rest is completed.
  expect(counts).toEqual({ reused: 1 + 3 * 3, completed: 9 });
});

it('of lattices and of maps inside, an item has failed of what failed within', async () => {
  const result = await dispatchSync(deep)();
  const thrown = { code: 'TASK_THREW', message: 'not this one' };
  const value = {
    lattices: [
      fulfilled(0),
      {
        status: 'rejected',
        reason: {
          node: 'each[1]',
          code: 'TASK_THREW',
          message: 'strict: not this one',
          cause: { node: 'each[1]', ...thrown },
        },
      },
      fulfilled(2),
    ],
    rows: [fulfilled([]), fulfilled([0]), { status: 'rejected', reason: { node: 'strict[2][1]', ...thrown } }],
  };
  expect(result).toMatchObject({ status: 'completed' });
  expect(result.status === 'completed' ? result.value : undefined).toStrictEqual(value);
  expect(await deep.local()).toStrictEqual(value);
});

it('large values come along with how their items ended', async () => {
  const value = await getValue(await dispatch(heavy)());
  expect(value.sizes).toEqual([0, 100_001, 100_002]);
  expect(value.each).toEqual([0, 100_000, 100_000]);
  expect(value.items).toMatchObject([{ status: 'rejected', reason: { message: 'none' } }, {}, {}]);
  expect(value.items[2]).toEqual(fulfilled(new Uint8Array(100_000).fill(2)));
  expect((await hub.polaron(['check'])).out).not.toMatch(/not there/);
});

it('an item that the user cancels is rejected, and the others go on', async () => {
  const id = await dispatch(waiting)(folder);
  await until(async () => ((await getResult(id)).electrons.counts.running ?? 0) > 0, 'the items run');
  await cancel(id, { electrons: ['waits[0]'] });
  writeFileSync(join(folder, 'go'), '');
  expect(await getValue(id)).toEqual([
    { status: 'rejected', reason: { node: 'waits[0]', code: 'CANCELLED', message: 'cancelled' } },
    fulfilled(1),
  ]);
});
