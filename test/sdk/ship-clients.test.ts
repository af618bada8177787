/** The same electrons from each way of running a script: the real `electron()`, the real bundler, the real loader. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { load, project, removeProjects, REPO, run, tempFolder } from './ship-support.ts';

afterAll(removeProjects);

/** A package `polaron` whose SDK can define and ship: `globalThis.ship(file)` writes what a dispatch would send. */
const CLIENT = `
import { writeFileSync } from 'node:fs';
import { registry } from ${JSON.stringify(join(REPO, 'bus/protocol/registry.ts'))};
import { bundleElectrons } from ${JSON.stringify(join(REPO, 'sdk/ship/bundle.ts'))};
import { readCaptures } from ${JSON.stringify(join(REPO, 'bus/capture.ts'))};
export { electron } from ${JSON.stringify(join(REPO, 'sdk/electron.ts'))};
globalThis.ship = async (file) => {
  const electrons = registry().electrons;
  try {
    const { code, codeDigest } = await bundleElectrons(electrons, { cwd: process.cwd(), cacheDir: file + '.cache', shim: ${JSON.stringify(join(REPO, 'sdk/agent-shim.ts'))} });
    const captures = await readCaptures(new Map(electrons.map(({ name, fn }) => [name, fn])));
    writeFileSync(file + '.mjs', code);
    writeFileSync(file, JSON.stringify({ codeDigest, captures, names: electrons.map(({ name }) => name), argv: process.argv.slice(2) }));
  } catch (error) { writeFileSync(file, JSON.stringify({ error: error.message, code: error.code })); }
};
`;

let client = '';
beforeAll(async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'entry.ts'), CLIENT);
  const bundler = await rolldown({
    input: join(folder, 'entry.ts'),
    platform: 'node',
    logLevel: 'silent',
    external: /^rolldown/,
  });
  client = join(folder, 'client.mjs');
  await bundler.write({ file: client, format: 'esm', codeSplitting: false });
  await bundler.close();
});

function withClient(files: Readonly<Record<string, string>>): string {
  const folder = project({
    ...files,
    'node_modules/polaron/package.json': '{ "name": "polaron", "type": "module", "exports": "./index.mjs" }',
    'node_modules/polaron/index.mjs': readFileSync(client, 'utf8'),
  });
  for (const name of ['rolldown', 'vitest'])
    symlinkSync(join(REPO, 'node_modules', name), join(folder, 'node_modules', name));
  mkdirSync(join(folder, 'out'));
  return folder;
}

interface Sent {
  readonly codeDigest: string;
  readonly captures: Record<string, Record<string, unknown>>;
  readonly names: string[];
  readonly argv: string[];
  readonly error?: string;
  readonly code?: string;
}

async function shipFrom(
  files: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<{ readonly sent: Sent; readonly bundle: () => Uint8Array; readonly folder: string }> {
  const folder = withClient(files);
  const out = join(folder, 'out/sent.json');
  const args = command.map((part) => part.replaceAll('OUT', out));
  const done = await run(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'], OUT: out } });
  if (done.code !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
  const sent: Sent = JSON.parse(readFileSync(out, 'utf8'));
  return { sent, folder, bundle: () => readFileSync(`${out}.mjs`) };
}

const BODY = `
const N = Number(process.argv[2] ?? -1);
export const step = electron(async function step(x) { return helper(x) + N; });
export const boom = electron(function boom() { throw new Error('boom'); });
await globalThis.ship?.(process.env.OUT);
`;
const ESM = `import { electron } from 'polaron';\nimport { helper } from './helper.HELPER';\n${BODY}`;
const HELPER = 'export const helper = (x) => x * 2;\n';
const tsx = ['--import', join(REPO, 'node_modules/tsx/dist/esm/index.mjs')];

describe('electrons reach an agent from', () => {
  const works = async (files: Readonly<Record<string, string>>, command: readonly string[]): Promise<string> => {
    const { sent, bundle } = await shipFrom(files, command);
    expect(sent.error).toBeUndefined();
    expect(sent.captures['step']).toMatchObject({ N: 7 });
    const report = await load({
      bundle: bundle(),
      argv: sent.argv,
      index: sent.names,
      captures: sent.captures,
      calls: [['step', 10], ['boom']],
    });
    expect(report.errors).toEqual([]);
    expect(report.results[0]).toEqual({ value: 27 });
    return report.results[1]?.stack ?? '';
  };

  it('a plain .mjs', async () => {
    const stack = await works({ 'main.mjs': ESM.replace('HELPER', 'mjs'), 'helper.mjs': HELPER }, ['main.mjs', '7']);
    expect(stack).toMatch(/at boom \(polaron:\/\/\/main\.mjs:6:\d+\)/);
  });

  it('tsx script.ts', async () => {
    const stack = await works(
      {
        'main.ts': ESM.replace('HELPER', 'ts').replace('step(x)', 'step(x: number): Promise<number>'),
        'helper.ts': 'export const helper = (x: number): number => x * 2;',
      },
      [...tsx, 'main.ts', '7'],
    );
    expect(stack).toMatch(/at boom \(polaron:\/\/\/main\.ts:6:\d+\)/);
  });

  it('compiled JavaScript with its source map', async () => {
    const source = ESM.replace('HELPER', 'js').replace(
      'const N',
      'interface X { readonly a: number }\n\nconst N: number',
    );
    const { code, map } = await transform(source, {
      loader: 'ts',
      sourcemap: true,
      sourcefile: '../src/main.ts',
      keepNames: true,
      target: 'es2022',
    });
    const stack = await works(
      {
        'dist/main.js': `${code}//# sourceMappingURL=main.js.map\n`,
        'dist/main.js.map': map,
        'dist/helper.js': HELPER,
      },
      ['--enable-source-maps', 'dist/main.js', '7'],
    );
    expect(stack).toMatch(/at boom \(polaron:\/\/\/src\/main\.ts:8:\d+\)/);
  });

  it('CommonJS', async () => {
    const text = `const { electron } = require('polaron');\nconst { helper } = require('./helper.cjs');\n${BODY.replaceAll('export const', 'const').replace('await globalThis.ship', 'globalThis.ship')}`;
    await works({ 'main.cjs': text, 'helper.cjs': 'exports.helper = (x) => x * 2;' }, ['main.cjs', '7']);
  });

  it('plain Node and tsx give the same code', async () => {
    const files = { 'main.mjs': ESM.replace('HELPER', 'mjs'), 'helper.mjs': HELPER };
    const [plain, viaTsx] = await Promise.all([
      shipFrom(files, ['main.mjs', '7']),
      shipFrom(files, [...tsx, 'main.mjs', '7']),
    ]);
    expect(plain.sent.codeDigest).toBe(viaTsx.sent.codeDigest);
  });

  it('vitest: at the top level of a test file, and inside it()', async () => {
    const { sent, bundle } = await shipFrom(
      {
        'a.test.ts': `import { electron } from 'polaron';\nimport { describe, expect, it } from 'vitest';\nimport { helper } from './helper.ts';
          export const top = electron(function top(x: number) { return helper(x); });
          describe('x', () => { it('ships', async () => {
            electron(function inIt(x: number) { return Math.max(x, 3); });
            electron(function notAlone(x: number) { return helper(x); });
            await (globalThis as any).ship(process.env.OUT);
            expect(1).toBe(1);
          }); });`,
        'helper.ts': 'export const helper = (x: number): number => x * 2;',
      },
      [join(REPO, 'node_modules/vitest/vitest.mjs'), 'run', '--root', '.'],
    );
    expect(sent.error).toBeUndefined();
    const report = await load({
      bundle: bundle(),
      index: sent.names,
      captures: sent.captures,
      calls: [
        ['top', 4],
        ['inIt', 1],
      ],
    });
    expect(report.results).toEqual([{ value: 8 }, { value: 3 }]);
    expect(report.errors.map(({ electron, error }) => [electron, error.code])).toEqual([
      ['notAlone', 'ELECTRON_NOT_FOUND'],
    ]);
    expect(report.errors[0]?.error.message).toContain("It can't be sent on its own either, because it uses: helper.");
  });
});

describe('node -e', () => {
  const script = (body: string): string =>
    `import('polaron').then(async ({ electron }) => { ${body} await globalThis.ship('OUT'); })`;

  it('sends what is self-contained', async () => {
    const { sent, bundle } = await shipFrom({}, [
      '-e',
      script('electron(function f(x) { return [x].map((y) => y + 1)[0]; });'),
    ]);
    expect(sent.error).toBeUndefined();
    const report = await load({ bundle: bundle(), index: ['f'], calls: [['f', 1]] });
    expect(report).toMatchObject({ errors: [], results: [{ value: 2 }] });
  });

  it('refuses the rest with NO_SOURCE', async () => {
    const { sent } = await shipFrom({}, [
      '-e',
      script('const K = 1; const helper = () => 2; electron(function f() { return K + helper(); });'),
    ]);
    expect(sent).toEqual({
      code: 'NO_SOURCE',
      error: expect.stringMatching(
        /^electron 'f' was defined in \[eval\d*\], which is not a file, and can't be sent as a module\. It also can't be sent on its own because it uses: K, helper\.$/,
      ),
    });
  });
});
