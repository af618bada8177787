/** Functions that travel as their own text. */
import { parseAst } from 'rolldown/parseAst';
import { afterAll, describe, expect, it } from 'vitest';
import { PolaronError } from '../../model/errors.ts';
import { isNode } from '../../sdk/ship/ast.ts';
import { bundleElectrons } from '../../sdk/ship/bundle.ts';
import { freeNames } from '../../sdk/ship/free-names.ts';
import { load, project, removeProjects, ship, shipped, tempFolder } from './ship-support.ts';
import { join } from 'node:path';

afterAll(removeProjects);

const free = (source: string): string[] => {
  const program: unknown = parseAst(`(${source})`, { lang: 'js' });
  if (!isNode(program)) throw new Error('no tree');
  return [...freeNames(program)].sort();
};

describe('free names', () => {
  it.each([
    ['function f(a, { b, c: [d = e], ...r }) { return a + b + d + r.x + f; }', ['e']],
    ['() => { let x = 1; { const y = 2; x += y; } return y; }', ['y']],
    ['() => { for (const i of list) { var late = i; } return late + i; }', ['i', 'list']],
    ['() => { try { risky(); } catch ({ code }) { return code; } }', ['risky']],
    ['() => ({ key: 1, [computed]: 2, short, method() { return this.z; } })', ['computed', 'short']],
    ['class extends Base { #p = outer; static s = 1; m() { return super.m(this.#p); } }', ['Base', 'outer']],
    ['() => this.x', ['this']],
    ['function () { return this.x + arguments.length; }', []],
    ['() => arguments[0]', ['arguments']],
    ['() => import.meta.url', ['import.meta']],
    ['() => { out: for (;;) { break out; } }', []],
    ['() => { switch (a) { case b: let c = 1; return c; } }', ['a', 'b']],
    ['() => { inner(); function inner() { return new K().v?.w; } class K {} }', []],
    ['(x) => `${x.y} ${z}`', ['z']],
  ])('of %s', (source, expected) => {
    expect(free(source)).toEqual(expected);
  });
});

const inlined = (fn: (...args: never[]) => unknown, name: string) => ({ name, fn, at: '[eval1]:1', file: undefined });

describe('an electron without a module', () => {
  it('is sent as its text when it uses only what every process has', async () => {
    const cwd = tempFolder();
    const { code } = await bundleElectrons(
      [
        inlined(async (xs: number[]) => Math.max(...xs) + (await Promise.resolve(1)), 'top'),
        inlined(
          {
            method(this: void, x: number) {
              return structuredClone(x) * 2;
            },
          }.method,
          'method',
        ),
        inlined(async function lib() {
          const { sep } = await import('node:path');
          return sep.length;
        }, 'lib'),
      ],
      { cwd, cacheDir: join(cwd, 'cache') },
    );
    const report = await load({
      bundle: code,
      index: ['top', 'method', 'lib'],
      calls: [['top', [1, 5]], ['method', 4], ['lib']],
    });
    expect(report).toMatchObject({ errors: [], results: [{ value: 6 }, { value: 8 }, { value: 1 }] });
  });

  it('is refused with NO_SOURCE and the names that it uses', async () => {
    const K = Number('2');
    const helper = (x: number): number => x * K;
    const cwd = tempFolder();
    const sent = bundleElectrons([inlined((x: number) => helper(x) + K, 'f')], { cwd, cacheDir: join(cwd, 'cache') });
    await expect(sent).rejects.toThrow(
      "electron 'f' was defined in [eval1], which is not a file, and can't be sent as a module. It also can't be sent on its own because it uses: helper, K.",
    );
    await expect(sent).rejects.toMatchObject({ code: 'NO_SOURCE' });
    await expect(sent).rejects.toBeInstanceOf(PolaronError);
  });

  it("is refused under code: 'inline' with the line and what to do", async () => {
    const helper = (): number => 1;
    const cwd = tempFolder();
    const electron = { name: 'f', fn: () => helper(), at: 'x.ts:12', file: join(cwd, 'x.ts') };
    await expect(bundleElectrons([electron], { cwd, cacheDir: join(cwd, 'cache'), code: 'inline' })).rejects.toThrow(
      "electron 'f' is to be sent on its own and uses 'helper', which is defined outside of it (x.ts:12).",
    );
  });

  it('travels beside electrons of modules, and survives a module that halts', async () => {
    const folder = project({
      'a.ts':
        "import { electron, dispatch } from 'polaron';\nelectron(function step() { return 's'; });\nawait dispatch(undefined as never)();",
    });
    const { code } = await ship(folder, [shipped('step', join(folder, 'a.ts')), inlined(() => 'i', 'alone')]);
    const report = await load({ bundle: code, index: ['step', 'alone'], calls: [['step'], ['alone']] });
    expect(report).toMatchObject({ errors: [], results: [{ value: 's' }, { value: 'i' }] });
  });
});

describe("an electron made inside a test's it()", () => {
  const folder = (): string => project({ 'x.test.ts': "import { it } from 'vitest';\nit('x', () => {});" });

  it('is found by its text under a test runner, without being asked for', async () => {
    const root = folder();
    const { code } = await ship(root, [{ ...shipped('inIt', join(root, 'x.test.ts')), fn: (x: number) => x * 3 }], {
      inlineFallback: true,
    });
    const report = await load({ bundle: code, index: ['inIt'], calls: [['inIt', 2]] });
    expect(report).toMatchObject({ errors: [], results: [{ value: 6 }] });
  });

  it('is not found when it uses something of its file, and the message names it as its author did', async () => {
    const root = folder();
    const fn = (): unknown => removeProjects;
    const { code } = await ship(root, [{ ...shipped('inIt', join(root, 'x.test.ts')), fn }], { inlineFallback: true });
    const report = await load({ bundle: code, index: ['inIt'] });
    expect(report.errors[0]?.error.code).toBe('ELECTRON_NOT_FOUND');
    expect(report.errors[0]?.error.message).toContain(
      "It can't be sent on its own either, because it uses: removeProjects.",
    );
  });

  it('yields to the definition of its module', async () => {
    const root = project({
      'x.ts': "import { electron } from 'polaron';\nelectron(function both() { return 'module'; });",
    });
    const { code } = await ship(root, [{ ...shipped('both', join(root, 'x.ts')), fn: () => 'text' }], {
      inlineFallback: true,
    });
    const report = await load({ bundle: code, calls: [['both']] });
    expect(report.results).toEqual([{ value: 'module' }]);
  });
});
