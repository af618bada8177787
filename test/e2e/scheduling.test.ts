/** Concurrency keys through a whole system: over dispatches, over a restart of the hub. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, dispatch, dispatchSync, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { three, unkeyed, waiting } from './workflows/scheduling.ts';

const hub = new RealHub({ start: ['--slots', '8'] });
let folder: string;
beforeAll(async () => {
  await hub.start();
  folder = mkdtempSync(join(hub.home, 'keys-'));
});
afterAll(() => hub.close());

const notes = (what: 'begin' | 'end'): string[] =>
  readFileSync(join(folder, 'notes'), { encoding: 'utf8', flag: 'a+' })
    .split('\n')
    .filter((line) => line.startsWith(what))
    .map((line) => line.slice(what.length + 1));
const begun = (count: number): Promise<void> => until(() => notes('begin').length >= count, `${count} have begun`);
/** Whoever could begin has, when one without a key that came later has ended. */
const settled = async (): Promise<void> => expect((await dispatchSync(unkeyed)(1)).status).toBe('completed');

describe('a concurrency key', { timeout: 60_000 }, () => {
  it('bounds two dispatches together, over a killed hub, too, and holds up nobody else', async () => {
    const ids = await Promise.all(['a', 'b'].map((name) => dispatch(three)(folder, name)));
    await begun(2);
    await settled();
    expect(notes('begin')).toHaveLength(2);
    await hub.kill(hub.file().pid);
    await hub.start();
    await settled();
    expect(notes('begin')).toHaveLength(2);
    for (let done = 0; done < 6; done++) {
      await begun(Math.min(done + 2, 6));
      await settled();
      expect(notes('begin')).toHaveLength(Math.min(done + 2, 6));
      writeFileSync(join(folder, `${notes('begin')[done]}.open`), '');
      await until(() => notes('end').length === done + 1, 'it ends');
    }
    expect(await Promise.all(ids.map((id) => getValue(id)))).toEqual([
      ['a1', 'a2', 'a3', 2],
      ['b1', 'b2', 'b3', 2],
    ]);
    // none of them began twice
    expect(new Set(notes('begin')).size).toBe(6);
  });
});

describe('polaron show --why', { timeout: 60_000 }, () => {
  it('tells for which parent, capability, key and pause electrons wait', async () => {
    const id = await dispatch(waiting)(folder);
    const asked = async (...args: string[]): Promise<unknown> => hub.json(['show', id, ...args, '--why']);
    const kinds = ['back-off', 'capability', 'key', 'parent'];
    await until(async () => {
      const text = JSON.stringify(await asked());
      return kinds.every((kind) => text.includes(`"${kind}"`));
    }, 'all reasons are there');
    expect(await asked()).toMatchObject({
      dispatch: id,
      why: expect.arrayContaining([
        expect.objectContaining({ kind: 'key', key: 'e2e', limit: 2, held: 2, electrons: 1 }),
        expect.objectContaining({ kind: 'capability', needs: ['gpu', 'process'], electrons: 1 }),
        expect.objectContaining({ kind: 'back-off', attempt: 1, code: 'TASK_THREW', electrons: 1 }),
        expect.objectContaining({ kind: 'parent', name: 'flaky', electrons: 1, first: [{ node: 6, name: 'free' }] }),
      ]),
    });
    expect(await asked('free')).toMatchObject({ why: [{ kind: 'parent', name: 'flaky' }] });
    expect((await hub.polaron(['show', id, 'fre', '--why'])).err).toContain('did you mean free');
    const { out } = await hub.polaron(['show', id, '--why']);
    expect(out).toMatch(/1 electron waits for the key "e2e", held by 2 of 2 \(/);
    await cancel(id);
    expect(await asked()).toEqual({ dispatch: id, why: [] });
  });
});
