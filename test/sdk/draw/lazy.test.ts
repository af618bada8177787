/** The built package loads the layout library when the first SVG is drawn, and not before; where it is missing, that is said. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../house/sources.ts';

const script = (before: string): string => `
  import { createRequire, Module } from 'node:module';
  ${before}
  const { electron, lattice } = await import(${JSON.stringify(join(root, 'dist/sdk/index.js'))});
  const loaded = () => Object.keys(Module._cache).some((path) => path.includes('@dagrejs'));
  const two = lattice(function two() { return electron(function one() {})(); });
  const seen = [loaded()];
  two.draw('mermaid');
  two.draw('dot');
  seen.push(loaded());
  try { two.draw('svg'); } catch (error) { seen.push(error.code + ': ' + error.message); }
  seen.push(loaded());
  console.log(JSON.stringify(seen));`;

const run = (before = ''): unknown =>
  JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script(before)], { cwd: root, encoding: 'utf8' }),
  );

test('import, Mermaid and DOT load no layout; SVG does', () => {
  expect(run()).toEqual([false, false, true]);
});

test('without the library an SVG is refused with what to do', () => {
  const missing = `
    const find = Module._resolveFilename;
    Module._resolveFilename = (id, ...rest) => {
      if (id.startsWith('@dagrejs')) throw new Error('Cannot find module');
      return find(id, ...rest);
    };`;
  expect(run(missing)).toEqual([
    false,
    false,
    expect.stringMatching(/^USAGE: an SVG is laid out by the package @dagrejs\/dagre/),
    false,
  ]);
});
