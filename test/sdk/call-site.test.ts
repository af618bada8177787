/** Where a definition is said to be, under every way to run a script. */
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rolldown } from 'rolldown';
import { definitionSite, errorSite, filePath } from '../../sdk/call-site.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
let folder = '';
let env: NodeJS.ProcessEnv = {};

/** A stand-in for the installed package: call-site.ts as `sdk/call-site.js`, as in dist. */
async function installSdk(): Promise<void> {
  const bundle = await rolldown({ input: join(root, 'sdk/call-site.ts'), platform: 'node' });
  const own = join(folder, 'dist', 'sdk');
  await bundle.write({ file: join(own, 'call-site.js'), format: 'esm' });
  await writeFile(join(folder, 'dist', 'package.json'), '{"type":"module"}');
  await writeFile(
    join(own, 'electron.js'),
    "import { definitionSite } from './call-site.js';\nexport const electron = (module) => { const s = definitionSite(module); console.log(JSON.stringify([s.file, s.at])); };\n",
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polaron-site-'));
  env = { ...process.env };
  delete env['NODE_OPTIONS'];
  await installSdk();
});
afterAll(async () => rm(folder, { recursive: true }));

async function script(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  return path;
}
async function sites(...args: readonly string[]): Promise<unknown[]> {
  const { stdout } = await run(process.execPath, [...args], { env, cwd: folder });
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}
const SDK = '../dist/sdk/electron.js';

test('a plain module, also through a wrapper of another module: the module whose top level runs', async () => {
  const helper = await script(
    'plain/gpu.mjs',
    `import { electron } from '${SDK}';\nexport const gpu = () => electron();\nelectron();\n`,
  );
  const steps = await script('plain/steps.mjs', `import { gpu } from './gpu.mjs';\n\ngpu();\n`);
  expect(await sites(steps)).toEqual([
    [helper, 'gpu.mjs:3'],
    [steps, 'steps.mjs:3'],
  ]);
});

test('a function of the module: its innermost line', async () => {
  const path = await script(
    'plain/main.mjs',
    `import { electron } from '${SDK}';\nasync function main() {\n  await null;\n  electron();\n}\nawait main();\n`,
  );
  expect(await sites(path)).toEqual([[path, 'main.mjs:4']]);
});

test('tsx: the lines of the TypeScript', async () => {
  const path = await script(
    'plain/train.ts',
    `import { electron } from '${SDK}';\ninterface Gone {\n  a: string;\n}\nexport type Also = Gone;\n\nelectron();\n`,
  );
  expect(await sites('--import', join(root, 'node_modules/tsx/dist/loader.mjs'), path)).toEqual([[path, 'train.ts:7']]);
});

test('compiled JS: the file that runs, and the line of its source where source maps are on', async () => {
  const source = await script(
    'plain/compiled.ts',
    `import { electron } from '${SDK}';\ninterface Gone {\n  a: string;\n}\nelectron();\n`,
  );
  const bundle = await rolldown({ input: source, external: [SDK], platform: 'node' });
  const file = join(folder, 'plain', 'compiled.mjs');
  await bundle.write({ file, format: 'esm', sourcemap: true });
  expect(await sites('--enable-source-maps', file)).toEqual([[file, 'compiled.ts:5']]);
  expect(await sites(file)).toEqual([[file, expect.stringMatching(/^compiled\.mjs:\d+$/)]]);
});

test('CommonJS: each module of a require chain for itself', async () => {
  const cjs = await script('plain/electron.cjs', 'exports.electron = (m) => globalThis.define(m);\n');
  expect(cjs).toContain('.cjs');
  const inner = await script('plain/inner.cjs', `module.exports = globalThis.define();\n`);
  const outer = await script('plain/outer.cjs', `require('./inner.cjs');\nglobalThis.define();\n`);
  const start = await script(
    'plain/start.mjs',
    `import { electron } from '${SDK}';\nglobalThis.define = electron;\nawait import('./outer.cjs');\n`,
  );
  expect(await sites(start)).toEqual([
    [inner, 'inner.cjs:1'],
    [outer, 'outer.cjs:2'],
  ]);
});

test('the front door as it is built: an error names the line of who called it, not one of ours', async () => {
  const path = await script(
    'packed/main.mjs',
    `import { after } from '${join(root, 'dist/sdk/index.js')}';\n\ntry {\n  after([], () => 1);\n} catch (error) {\n  console.log(JSON.stringify(error.message));\n}\n`,
  );
  expect(await sites(path)).toEqual([expect.stringContaining('(main.mjs:4)')]);
});

test('no file: [eval1], and the override says which module', async () => {
  const code = `const { electron } = await import('${join(folder, 'dist/sdk/electron.js')}');\nelectron(); electron('file:///x/y.ts')`;
  expect(await sites('--input-type=module', '-e', code)).toEqual([
    [null, '[eval1]:2'],
    ['/x/y.ts', 'y.ts'],
  ]);
});

test('vitest: this file and this line, and Error.prepareStackTrace as it was', () => {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const limit = Error.stackTraceLimit;
  const site = definitionSite();
  const line = Number(/call-site\.test\.ts:(\d+)/.exec(new Error('here').stack ?? '')?.[1]) - 1;
  expect([site.file, site.at, site.line]).toEqual([import.meta.filename, `call-site.test.ts:${line}`, line]);
  expect(errorSite().file).toBe(import.meta.filename);
  expect(Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')).toEqual(before);
  expect(Error.stackTraceLimit).toBe(limit);
});

test('what is a file and what is not', () => {
  expect(
    [
      'file:///a/b%20c.ts?x=1#y',
      '/a/b.js',
      '[eval1]',
      'file:///a/[eval1]',
      'data:text/javascript,1',
      'node:fs',
      'file://%',
    ].map(filePath),
  ).toEqual(['/a/b c.ts', '/a/b.js', undefined, undefined, undefined, undefined, undefined]);
});
