/** Which file of a package an agent takes as its executor. Not here: files as executors, and what they do then (test/e2e/custom-executors.test.ts). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadExecutor } from '../../../executors/job/load-executor.ts';

const own = pathToFileURL(join(import.meta.dirname, '../../../dist/executors/index.js')).href;
const definition = `import { defineExecutor, noOptions } from ${JSON.stringify(own)};
const noop = () => undefined;
export default defineExecutor({ name: 'mine', options: noOptions, setup: noop, run: noop, cancel: noop, teardown: noop });
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polaron-load-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function install(name: string, manifest: object, files: Readonly<Record<string, string>>): void {
  const root = join(folder, 'node_modules', name);
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...manifest }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
}
const load = (name: string) => loadExecutor({ name }, folder);

describe('a package as executor', () => {
  it('may have an entry for `import` alone, under a scope and a path as well', async () => {
    const files = { 'main.js': definition };
    install('esm-only', { type: 'module', exports: { import: './main.js' } }, files);
    // `module` is a bundler's word, which Node.js doesn't know
    install('for-bundlers', { type: 'module', exports: { module: './gone.js', import: './main.js' } }, files);
    install('@lab/esm', { type: 'module', exports: { './fast': { import: { node: './main.js' } } } }, files);
    expect(await load('esm-only')).toBeTypeOf('function');
    expect(await load('for-bundlers')).toBeTypeOf('function');
    expect(await load('@lab/esm/fast')).toBeTypeOf('function');
  });

  it('is told apart: not installed, without an entry, with an entry that is no executor', async () => {
    const of = (name: string): Promise<unknown> => load(name).catch((error: unknown) => error);
    install('closed', { exports: { './other': './main.js' } }, { 'main.js': '' });
    install('empty', { type: 'module', exports: { import: './main.js' } }, { 'main.js': 'export default {};' });
    install('hollow', { type: 'module', exports: { import: './gone.js' } }, {});
    const code = 'EXECUTOR_INVALID';
    expect(await of('absent')).toMatchObject({
      code,
      message: expect.stringContaining('no package installed') as unknown,
    });
    expect(await of('closed')).toMatchObject({
      code,
      message: expect.stringContaining('"exports" have no entry') as unknown,
    });
    expect(await of('empty')).toMatchObject({ code, message: expect.stringContaining('default export') as unknown });
    expect(await of('hollow')).toMatchObject({ code });
  });
});

it('a file that imports a package which is not there says which, and where to install it', async () => {
  writeFileSync(join(folder, 'mine.ts'), `import { type } from 'no-such-types';\n${definition}void type;\n`);
  await expect(load('./mine.ts')).rejects.toMatchObject({
    code: 'EXECUTOR_INVALID',
    message: `executor ${JSON.stringify(join(folder, 'mine.ts'))}: it imports no-such-types, which is not installed there`,
    help: `In ${folder}: npm install no-such-types`,
  });
});

it('settings are refused by an executor that takes none, and not lost', async () => {
  const of = (name: string, settings: Readonly<Record<string, unknown>>): Promise<unknown> =>
    loadExecutor({ name, settings }, folder);
  for (const name of ['process', 'thread', 'python', 'shell', 'ssh'])
    await expect(of(name, { venv: '/opt/science' })).rejects.toMatchObject({
      code: 'EXECUTOR_INVALID',
      message: `executor "${name}": it takes no settings, and was given venv; options are said by electrons`,
    });
  for (const name of ['slurm', 'container', 'http']) expect(await of(name, { pollMs: 1 })).toBeTypeOf('function');
  expect(await of('python', {})).toBeTypeOf('function');
});
