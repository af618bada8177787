/** The digest of an electron's code: what changes it, and what doesn't. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { project, removeProjects, ship, shipped } from './ship-support.ts';

afterAll(removeProjects);

const HEAD = "import { dispatchSync, electron, lattice, registerCodec } from 'polaron';\n";
const BASE = {
  'steps.ts': `${HEAD}
import { readFileSync } from 'node:fs';
import { scale } from './helpers.ts';
import plus from './plus.cjs';
const table: number[] = [];
table.push(1);
const limits = { low: 1 };
export const double = electron({ retries: 3 }, function double(x: number) { return scale(x) * 2; });
const prepare = () => 4;
export const hooked = electron({ before: [{ run: prepare }] }, function hooked() { return 1; });
export const look = electron(function look(i: number) { return table[i]; });
export const limited = electron(function limited(x: number) { return Math.max(x, limits.low); });
const open = () => 7;
export const looked = lattice({ electrons: { retries: 1, before: [{ run: open }] } }, function looked() { return look(1); });
export const read = electron(function read(path: string) { return readFileSync(path, 'utf8'); });
export const added = electron(function added(x: number) { return plus(x); });
const longest = 60_000;
export const drawn = lattice({ timeout: longest }, function drawn() { return 1; });
`,
  'helpers.ts':
    'export function scale(x: number) { return x * FACTOR + 0; }\nexport const FACTOR = Number("3");\nexport const unused = 1;',
  'plus.cjs': 'module.exports = (x) => x + 1;',
};
const HOOKS = 'polaron:hooks:looked';
const names = ['double', 'hooked', 'look', HOOKS, 'limited', 'read', 'added', 'lattice:drawn'];

/** Of each electron of `steps.ts`, with these changes to the files: text for text, or more at the end. */
async function codes(changes: readonly (readonly [file: keyof typeof BASE, from: string, to: string])[] = []) {
  const files: Record<string, string> = { ...BASE };
  for (const [file, from, to] of changes) {
    if (!files[file]?.includes(from)) throw new Error(`${file} has no ${from}`);
    files[file] = files[file]?.replace(from, () => to) ?? '';
  }
  const folder = project(files);
  const made = await ship(
    folder,
    names.map((name) => shipped(name, join(folder, 'steps.ts'))),
  );
  return made.codes;
}

const base = await codes();
const changed = async (...changes: Parameters<typeof codes>[0] & {}): Promise<string[]> => {
  const now = await codes(changes);
  return names.filter((name) => now[name] !== base[name]);
};
const END = 'return 1; });\n';
const more = (text: string) => ['steps.ts', END, `${END}${text}\n`] as const;

describe("an electron's code is another when", () => {
  it.each([
    ['its function is edited', ['steps.ts', '* 2', '* 4'] as const, ['double']],
    ['what it calls in another module is edited', ['helpers.ts', '+ 0', '+ 1'] as const, ['double']],
    ['a constant behind that is edited', ['helpers.ts', '"3"', '"4"'] as const, ['double']],
    ['an option of its lattice is edited', ['steps.ts', '60_000', '90_000'] as const, ['lattice:drawn']],
    ['its hook is edited', ['steps.ts', '=> 4', '=> 5'] as const, ['hooked']],
    ['it gets another hook', ['steps.ts', 'run: prepare', 'run: Math.random'] as const, ['hooked']],
    ['a hook of its lattice is edited', ['steps.ts', '=> 7', '=> 8'] as const, [HOOKS]],
    ['what fills its table is edited', ['steps.ts', 'push(1)', 'push(2)'] as const, ['look']],
    ['something else fills its table', more('function fill() { table.push(7); }\nfill();'), ['look']],
    [
      'its table is handed to something',
      more(
        'const seen = new Set(); seen.add(1); keep(table); function keep(x: number[]) { seen.add(x.length); }\nlattice(() => seen);',
      ),
      ['look'],
    ],
    ['a member of what it uses is assigned', more('limits.low = 4;'), ['limited']],
    ['… inside a function', more('const low = () => { limits.low = 5; };\nlow();'), ['limited']],
    ['a builtin is changed', more('Math.max = () => 1;'), names],
    ['a package or a CommonJS module is edited', ['plus.cjs', '+ 1', '+ 2'] as const, ['added']],
  ])('%s', async (_, change, wanted) => {
    expect(await changed(change)).toEqual(wanted);
  });
});

describe("an electron's code stays what it is when", () => {
  it.each([
    ['a comment or a line break is added', ['steps.ts', 'return scale(x)', '// why\n  return scale(\n x)'] as const],
    ['its retries are changed', ['steps.ts', 'retries: 3', 'retries: 4'] as const],
    ['what nobody uses is edited', ['helpers.ts', 'unused = 1', 'unused = 2'] as const],
    [
      'another electron comes in front',
      [
        'steps.ts',
        'const table',
        'export const first = electron(function first() { return 1; });\nconst table',
      ] as const,
    ],
    [
      'the script dispatches and prints',
      more(
        'const wf = lattice(function wf() { return look(1); });\nconsole.log(await dispatchSync(wf)(1), table.map(String));',
      ),
    ],
    [
      'another function reads its table',
      more('export const total = () => table.reduce((a, b) => a + b, 0);\nlattice(total);'),
    ],
  ])('%s', async (_, change) => {
    expect(await changed(change)).toEqual([]);
  });
});

describe('the whole bundle is its code when', () => {
  it.each([
    [
      'a factory names it',
      'const make = (k: string) => electron({ name: k }, function made() { return k; });\nmake("made");',
    ],
    ['it is made inside a function', 'function main() { return electron(function made() { return 1; }); }\nmain();'],
    ['it evaluates text', 'electron(function made(x: string) { return eval(x); });'],
    [
      'there are two of its name',
      'electron(function made() { return 1; });\nfunction again() { electron(function made() { return 2; }); }\nagain();',
    ],
  ])('%s', async (_, text) => {
    const digests = await Promise.all(
      ['', 'const other = electron(function other() { return 1; });'].map(async (elsewhere) => {
        const folder = project({ 'a.ts': `${HEAD}${text}\n${elsewhere}` });
        return (await ship(folder, [shipped('made', join(folder, 'a.ts'))])).codes['made'];
      }),
    );
    expect(digests[0]).not.toBe(digests[1]);
  });

  it('not when a maker of the user’s own is called with it: that is code, too', async () => {
    const of = async (maker: string, elsewhere = '') => {
      const folder = project({
        'a.ts': `${HEAD}const gpu = ${maker};\ngpu(function made() { return 1; });\n${elsewhere}`,
      });
      return (await ship(folder, [shipped('made', join(folder, 'a.ts'))])).codes['made'];
    };
    const plain = 'electron.defaults({ needs: ["gpu"] })';
    expect(await of(plain, 'electron(function other() {});')).toBe(await of(plain));
    expect(await of('(f: () => number) => electron({ name: f.name }, () => f() + 1)')).not.toBe(await of(plain));
  });
});
