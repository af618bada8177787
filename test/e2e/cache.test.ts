/** The cache through a whole system: dispatches that know nothing of each other share what was made once, over a restart, until it is purged. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getResult } from 'polaron';
import { RealHub } from '../support/real-hub.ts';

const hub = new RealHub({ start: ['--slots', '4'] });
let folder: string;
beforeAll(() => hub.start());
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'cache-'));
});
afterAll(() => hub.close());

const SCRIPT = `
import { appendFileSync, existsSync } from 'node:fs';
import { dispatch, electron, getResult, lattice } from 'polaron';
const [folder, n] = process.argv.slice(2);
const ran = (folder, what) => appendFileSync(folder + '/ran', what + '\\n');
const scale = (x) => x * 2;
const load = electron({ cache: { ttl: '1d' } }, function load(folder, n) { ran(folder, 'load'); return Array.from({ length: n }, (_, i) => i); });
const work = electron({ cache: true }, function work(folder, x) { ran(folder, 'work ' + x); return scale(x); });
const sum = electron(function sum(folder, xs) { ran(folder, 'sum'); return xs.reduce((a, b) => a + b, 0); });
const bad = electron({ cache: true }, function bad(folder) { ran(folder, 'bad'); if (!existsSync(folder + '/fixed')) throw new Error('no'); return 1; });
const part = lattice(function part(folder, n) { return sum(folder, load(folder, n).map((x) => work(folder, x))); });
const total = lattice(function total(folder, n) { return { total: part(folder, n), bad: bad(folder) }; });
const id = await dispatch(total)(folder, Number(n));
const result = await getResult(id, { wait: true });
console.log(JSON.stringify({ id, status: result.status, value: result.status === 'completed' ? result.value : undefined }));
`;

interface Told {
  readonly id: string;
  readonly status: string;
  readonly value?: unknown;
}

/** Runs the script with these changes; says what ran on the way. */
async function script(n: number, ...changes: readonly (readonly [from: string, to: string])[]) {
  let source = SCRIPT;
  for (const [from, to] of changes) {
    expect(source).toContain(from);
    source = source.replace(from, to);
  }
  const file = join(folder, 'ran');
  writeFileSync(file, '');
  const { out, err } = await hub.script(source, [folder, String(n)]);
  if (out === '') throw new Error(err);
  const told: Told = JSON.parse(out);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').sort() : [];
  return { ...told, ran: lines.filter((line) => line !== '') };
}

/** The dispatch of the lattice inside. */
async function insideOf(id: string): Promise<string> {
  const result = await getResult(id);
  return (await result.electrons.get('part')).subDispatch ?? '';
}

describe('an electron with `cache`', { timeout: 180_000 }, () => {
  it('runs once for all dispatches, in maps and lattices inside, over a restart, until it is purged', async () => {
    const first = await script(2);
    expect(first).toMatchObject({ status: 'failed', ran: ['bad', 'load', 'sum', 'work 0', 'work 1'] });
    writeFileSync(join(folder, 'fixed'), '');
    const second = await script(2);
    expect(second).toMatchObject({ status: 'completed', value: { total: 2, bad: 1 }, ran: ['bad', 'sum'] });
    const longer = await script(3);
    expect(longer).toMatchObject({ value: { total: 6 }, ran: ['load', 'sum', 'work 2'] });
    const edited = await script(3, ['x * 2', 'x * 3']);
    expect(edited).toMatchObject({ value: { total: 9 }, ran: ['sum', 'work 0', 'work 1', 'work 2'] });
    await hub.stop();
    await hub.start();
    const later = await script(3);
    expect(later).toMatchObject({ value: { total: 6, bad: 1 }, ran: ['sum'] });
    const inside = await insideOf(later.id);
    expect((await hub.polaron(['show', inside, '--why'])).out).toMatch(
      /3 electrons were reused from \S+\/work: work\[0\]/,
    );
    expect((await hub.polaron(['show', later.id, '--why'])).out).toMatch(/1 electron was reused from \S+\/bad: bad/);
    expect((await hub.polaron(['show', edited.id, 'bad'])).out).toMatch(/status +reused/);
    expect(await hub.json(['purge', '--older-than', '0s'])).toMatchObject({ dispatches: expect.any(Number) });
    const purged = await script(2);
    expect(purged.ran).toEqual(['bad', 'load', 'sum', 'work 0', 'work 1']);
    expect((await hub.polaron(['show', purged.id, '--why'])).out).toMatch(
      /had to run, since the cache had no value of it/,
    );
  });

  it('runs again by another key, and when its value is too old', async () => {
    writeFileSync(join(folder, 'fixed'), '');
    await script(1);
    expect((await script(1)).ran).toEqual(['sum']);
    expect((await script(1, ["ttl: '1d'", "ttl: '1ms'"])).ran).toEqual(['load', 'sum']);
    expect((await script(1, ["ttl: '1d'", "key: 'v2'"])).ran).toEqual(['load', 'sum']);
    expect((await script(1, ["ttl: '1d'", "key: 'v2', ttl: '1d'"])).ran).toEqual(['sum']);
  });

  it('is refused with a ttl that is none, before anything is dispatched', async () => {
    const { err, exit } = await hub.script(SCRIPT.replace("'1d'", "'soon'"), [folder, '1']);
    expect([exit, err]).toEqual([1, expect.stringMatching(/USAGE.*electron "load" \(.*cache\.ttl is "soon"/s)]);
  });
});
