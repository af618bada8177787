/** Redispatch through a whole system: from what is stored, whatever became of the old dispatch, which stays as it is. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cancel, dispatch, getResult, getValue, redispatch, replacement } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { draw, fails, keywords, needsMore, nested, scaled, scaledText, scaledTwice } from './workflows/again.ts';

const hub = new RealHub({ start: ['--slots', '4'] });
let folder: string;
beforeAll(() => hub.start());
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'again-'));
});
afterAll(() => hub.close());

const ran = (): readonly string[] =>
  existsSync(join(folder, 'ran')) ? readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n').sort() : [];

async function valueOf(id: string): Promise<unknown> {
  const result = await getResult(id, { wait: true });
  return result.status === 'completed' ? result.value : result;
}

describe('redispatch', () => {
  it('keeps keyword arguments, and the old dispatch its values', async () => {
    const old = await dispatch(keywords)({ folder, a: 6, b: 7 });
    const before = await getValue(old);
    const made = await redispatch(old)();
    const after = await getValue(made);
    expect([before.product, after.product]).toEqual([42, 42]);
    expect(after.drawn).not.toBe(before.drawn);
    expect(await getValue(old)).toEqual(before);
    expect(await (await getResult(made)).args()).toEqual([{ folder, a: 6, b: 7 }]);
    expect(ran()).toEqual(['draw', 'draw', 'scaled 7', 'scaled 7']);
  });

  it('is made of the stored code: without the source, and when the old one is gone', async () => {
    const old = await dispatch(keywords)({ folder, a: 2, b: 3 });
    await getValue(old);
    const { out } = await hub.polaron(['redispatch', old]);
    const made = out.trim();
    await getResult(made, { wait: true });
    expect(await hub.json(['purge', '--older-than', '0s'])).toMatchObject({});
    const third = await hub.json(['redispatch', old]);
    expect(third).toMatchObject({ error: { code: 'UNKNOWN_DISPATCH' } });
  });

  it('names the dispatch that it was made from, and the first of all', async () => {
    const first = await dispatch(keywords)({ folder });
    const second = await redispatch(first)();
    const third = await redispatch(second)();
    expect((await getResult(third)).redispatchOf).toBe(second);
    expect(await hub.json(['show', third])).toMatchObject({ redispatchOf: second, root: first });
    expect((await hub.polaron(['show', third])).out).toContain(`${second}, first ${first}`);
    expect(await hub.json(['ls', '--limit', '1'])).toMatchObject({ dispatches: [{ redispatchOf: second }] });
  });

  it('of one that failed, was cancelled or runs', async () => {
    const failed = await dispatch(fails)(folder);
    expect(await getResult(failed, { wait: true })).toMatchObject({ status: 'failed' });
    const cancelled = await dispatch(fails)(folder);
    await cancel(cancelled);
    writeFileSync(join(folder, 'fixed'), '');
    for (const id of [failed, cancelled]) expect(await getValue(await redispatch(id)())).toBeGreaterThan(0);
    expect(await getResult(failed)).toMatchObject({ status: 'failed' });
    const running = await dispatch(fails)(folder);
    expect(await getValue(await redispatch(running)())).toBeGreaterThan(0);
  });

  it('with the lattice at hand takes other arguments, or the old ones', async () => {
    const old = await dispatch(keywords)({ folder, a: 6, b: 7 });
    const other = await redispatch(old, { lattice: keywords })({ folder, a: 1, b: 2 });
    const same = await redispatch(old, { lattice: keywords })();
    expect(await getValue(other)).toMatchObject({ product: 2 });
    expect(await getValue(same)).toMatchObject({ product: 42 });
    expect(await getResult(other)).toMatchObject({ redispatchOf: old });
  });

  it('replaces electrons by name, all occurrences, in lattices inside too; the old dispatch keeps its own', async () => {
    writeFileSync(join(folder, 'fixed'), '');
    const old = await dispatch(keywords)({ folder, a: 6, b: 7 });
    const electrons = replacement(scaled, scaledTwice);
    const made = await redispatch(old, { replaceElectrons: electrons, reusePreviousResults: true })();
    const value = await getValue(made);
    expect([value.product, value.drawn]).toEqual([84, (await getValue(old)).drawn]);
    const again = await redispatch(made)();
    expect(await getValue(again)).toMatchObject({ product: 84 });
    const back = await redispatch(again, { replaceElectrons: { scaledTwice: scaled } })();
    expect([await getValue(back), await getValue(old)]).toMatchObject([{ product: 42 }, { product: 42 }]);
    const outer = await dispatch(nested)(folder);
    expect(Math.floor((await getValue(outer)).later)).toBe(30);
    const other = await redispatch(outer, { replaceElectrons: electrons })();
    expect(Math.floor((await getValue(other)).later)).toBe(60);
  });

  it('refuses a replaced electron that is not there, or that is called with too little', async () => {
    const old = await dispatch(keywords)({ folder });
    await expect(redispatch(old, { replaceElectrons: { scald: scaledTwice } })()).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
      message: expect.stringContaining('did you mean scaled?'),
    });
    await expect(redispatch(old, { replaceElectrons: { draw: needsMore } })()).rejects.toMatchObject({
      code: 'SIGNATURE_MISMATCH',
      message: expect.stringMatching(/"draw" is called with 1 argument; "needsMore" \(.*again\.ts:\d+.*\).* takes 2/),
    });
    await expect(redispatch(old, { replaceElectrons: { draw: scaled } })()).rejects.toMatchObject({
      code: 'ELECTRON_AMBIGUOUS',
    });
    // @ts-expect-error -- the new one takes other arguments
    expect(replacement(draw, scaled)).toEqual({ draw: scaled });
    // @ts-expect-error -- the new one gives something else
    expect(replacement(scaled, scaledText)).toEqual({ scaled: scaledText });
  });

  it('takes other arguments without the source: from a script, or by name from the command line', async () => {
    const old = await dispatch(keywords)({ folder, a: 6, b: 7 });
    await getValue(old);
    const other = await redispatch(old)({ folder, a: 2, b: 5 });
    expect(await getValue(other)).toMatchObject({ product: 10 });
    const { out, err } = await hub.polaron(['redispatch', old, '--set', 'b=100', '--reuse']);
    expect(err).toBe('');
    const made = out.trim();
    const before = await getValue(old);
    expect(await valueOf(made)).toEqual({ product: 600, drawn: before.drawn });
    expect(await (await getResult(made)).args()).toEqual([{ folder, a: 6, b: 100 }]);
    const third = (await hub.polaron(['redispatch', made, '--set', 'a=1'])).out.trim();
    expect(await valueOf(third)).toMatchObject({ product: 100 });
    expect(await hub.json(['show', third])).toMatchObject({ redispatchOf: made, root: old });
    const typo = await hub.polaron(['redispatch', old, '--set', 'foldr=3']);
    expect([typo.exit, typo.err]).toEqual([
      2,
      expect.stringMatching(/no parameter or property "foldr"; did you mean folder\?/),
    ]);
    const positional = await dispatch(fails)(folder);
    expect((await hub.polaron(['redispatch', positional, '--set', 'folder=/nowhere'])).exit).toBe(0);
  });

  it('a repeated request starts nothing new; what was never dispatched is told with near matches', async () => {
    const old = await dispatch(keywords)({ folder });
    const options = { idempotencyKey: `again ${old}` };
    const [one, two] = await Promise.all([redispatch(old, options)(), redispatch(old, options)()]);
    expect(two).toBe(one);
    await expect(redispatch(old.replace(/^(.)(.)/, '$2$1'))()).rejects.toMatchObject({
      code: 'UNKNOWN_DISPATCH',
    });
  });
});
