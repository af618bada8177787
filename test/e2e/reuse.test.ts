/** Reuse through a whole system: a script is edited and dispatched again, and only what the edit is about runs. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue, redispatch } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { fails, nested } from './workflows/again.ts';

const hub = new RealHub({ start: ['--slots', '4'] });
let folder: string;
beforeAll(() => hub.start());
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'reuse-'));
});
afterAll(() => hub.close());

const ran = (): readonly string[] =>
  existsSync(join(folder, 'ran')) ? readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n').sort() : [];
const forget = (): void => writeFileSync(join(folder, 'ran'), '');

const SCRIPT = `
import { appendFileSync } from 'node:fs';
import { dispatch, electron, getValue, lattice, redispatch } from 'polaron';
const ran = (folder, what) => appendFileSync(folder + '/ran', what + '\\n');
const rates = [];
rates.push(2);
const scale = (x) => x * rates[0];
const load = electron(function load(folder, n) { ran(folder, 'load'); return Array.from({ length: n }, (_, i) => i); });
const work = electron(function work(folder, x) { ran(folder, 'work ' + x); return scale(x); });
const sum = electron(function sum(folder, xs) { ran(folder, 'sum'); return xs.reduce((a, b) => a + b, 0); });
const prepare = () => 1;
const total = lattice({ electrons: { before: [{ run: prepare }] } }, function total(folder, n) {
  const xs = load(folder, n);
  return sum(folder, xs.map((x) => work(folder, x)));
});
const [folder, n, old] = process.argv.slice(2);
const id = old === undefined
  ? await dispatch(total)(folder, Number(n))
  : await redispatch(old, { lattice: total, reusePreviousResults: true })(folder, Number(n));
console.log(JSON.stringify({ id, value: await getValue(id) }));
`;

/** Runs the script with these changes; says what ran on the way. */
async function script(n: number, old?: string, changes: readonly (readonly [from: string, to: string])[] = []) {
  let source = SCRIPT;
  for (const [from, to] of changes) {
    expect(source).toContain(from);
    source = source.replace(from, to);
  }
  forget();
  const { out, err } = await hub.script(source, [folder, String(n), ...(old === undefined ? [] : [old])]);
  if (out === '') throw new Error(err);
  const told: { readonly id: string; readonly value: number } = JSON.parse(out);
  return { ...told, ran: ran().filter((line) => line !== '') };
}

describe('reusePreviousResults', () => {
  it('goes on where a failed dispatch stopped', async () => {
    const old = await dispatch(fails)(folder);
    expect(await getResult(old, { wait: true })).toMatchObject({ status: 'failed' });
    writeFileSync(join(folder, 'fixed'), '');
    const made = await redispatch(old, { reusePreviousResults: true })();
    const value = await getValue(made);
    const drawn = await (await getResult(old)).electrons.get('draw');
    expect(value).toBe(await drawn.value());
    expect(ran()).toEqual(['draw', 'healed', 'healed']);
    const result = await getResult(made);
    expect((await result.electrons.get('draw')).status).toBe('reused');
    expect(result.electrons.counts).toEqual({ reused: 1, completed: 1 });
    expect((await hub.polaron(['redispatch', made, '--reuse'])).exit).toBe(0);
    await until(() => ran().length === 3, 'nothing ran again');
  });

  it('after an edit runs what the edit is about', { timeout: 120_000 }, async () => {
    const first = await script(3);
    expect(first).toMatchObject({ value: 6, ran: ['load', 'sum', 'work 0', 'work 1', 'work 2'] });
    const comment = await script(3, first.id, [["{ ran(folder, 'sum')", "{ /* the sum */ ran(folder, 'sum')"]]);
    expect(comment).toMatchObject({ value: 6, ran: [] });
    const helper = await script(3, first.id, [['x * rates[0]', 'x * rates[0] + 0']]);
    expect(helper).toMatchObject({ value: 6, ran: ['work 0', 'work 1', 'work 2'] });
    const table = await script(3, first.id, [['push(2)', 'push(3)']]);
    expect(table).toMatchObject({ value: 9, ran: ['sum', 'work 0', 'work 1', 'work 2'] });
    const hook = await script(3, first.id, [['prepare = () => 1', 'prepare = () => 2']]);
    expect(hook).toMatchObject({ value: 6, ran: first.ran });
    const inserted = await script(3, first.id, [
      ['const xs = load(folder, n);', 'const other = work(folder, 7); const xs = load(folder, n);'],
      ['return sum(', 'return sum(folder, [other, sum('],
      ['work(folder, x)));', 'work(folder, x)))]);'],
    ]);
    expect(inserted).toMatchObject({ value: 20, ran: ['sum', 'work 7'] });
  });

  it('reaches into lattices inside lattices, drawn here or on an agent', async () => {
    const old = await dispatch(nested)(folder);
    expect(await getResult(old, { wait: true })).toMatchObject({ status: 'failed' });
    const before = ran();
    expect(before.filter((line) => line !== 'healed')).toEqual([
      'counted',
      'draw',
      'draw',
      ...Array(4).fill('scaled 10'),
    ]);
    writeFileSync(join(folder, 'fixed'), '');
    forget();
    const made = await redispatch(old, { reusePreviousResults: true })();
    const { known, later } = await getValue(made);
    expect([Math.floor(known), Math.floor(later)]).toEqual([0, 30]);
    expect(ran()).toEqual(['healed', 'healed']);
    forget();
    const again = await redispatch(made, { reusePreviousResults: true })();
    expect(await getValue(again)).toEqual({ known, later });
    expect(ran()).toEqual(['']);
    const result = await getResult(again);
    expect(result.electrons.counts).toEqual({ reused: 2, completed: 2 });
  });

  it('of a longer list runs the items that are new', { timeout: 120_000 }, async () => {
    const first = await script(2);
    const longer = await script(4, first.id);
    expect(longer).toMatchObject({ value: 12, ran: ['load', 'sum', 'work 2', 'work 3'] });
    const shorter = await script(3, longer.id);
    expect(shorter).toMatchObject({ value: 6, ran: ['load', 'sum'] });
  });
});

describe('polaron show --why', { timeout: 120_000 }, () => {
  it('tells of each electron why it was taken over or ran, after the end and a restart, too', async () => {
    const first = await script(2);
    const helper = await script(3, first.id, [['x * rates[0]', 'x * rates[0] + 0']]);
    const asked = async (id: string, ...electron: string[]): Promise<unknown> =>
      hub.json(['show', id, ...electron, '--why']);
    const code = { kind: 'code', dispatch: first.id, own: true, whole: false };
    const wanted = {
      why: [
        { ...code, electrons: 2, first: [{ name: 'work[0]' }, { name: 'work[1]' }] },
        { kind: 'arguments', dispatch: first.id, electrons: 1, first: [{ name: 'load' }] },
        { kind: 'input', dispatch: first.id, from: [{ kind: 'node', name: 'work', ran: true }] },
        { kind: 'new', dispatch: first.id, electrons: 1, first: [{ name: 'work[2]' }] },
      ],
    };
    expect(await asked(helper.id)).toMatchObject(wanted);
    const same = await script(2, first.id);
    expect(await asked(same.id, 'work[1]')).toMatchObject({
      why: [{ kind: 'reused', dispatch: first.id, name: 'work[1]' }],
    });
    const { out } = await hub.polaron(['show', same.id, '--why']);
    expect(out).toBe(
      [
        `2 electrons were reused from ${first.id}/work: work[0], work[1]`,
        `1 electron was reused from ${first.id}/load: load`,
        `1 electron was reused from ${first.id}/sum: sum`,
        '',
      ].join('\n'),
    );
    await hub.stop();
    await hub.start();
    expect(await asked(helper.id)).toMatchObject(wanted);
    expect((await hub.polaron(['show', same.id, 'sum'])).out).toMatch(new RegExp(`reused from +${first.id}, node`));
  });

  it('of lattices inside', async () => {
    const old = await dispatch(nested)(folder);
    await getResult(old, { wait: true });
    writeFileSync(join(folder, 'fixed'), '');
    const made = await redispatch(old, { reusePreviousResults: true })();
    await getValue(made);
    const { out } = await hub.polaron(['show', made, '--why']);
    const [, inside = ''] = /are lattices, see of the first `polaron show (\S+) --why`/.exec(out) ?? [];
    const told = await hub.polaron(['show', inside, '--why']);
    expect(told.out).toMatch(/1 electron had to run, since it had no value in \S+ \(failed\): healed/);
    expect(told.out).toMatch(/was reused from \S+\/draw: draw/);
  });
});
