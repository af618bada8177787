/** The README's code as a reader would use it: in a folder of its own with the package installed, under tsx, against a hub of `polaron start`. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../house/sources.ts';
import { isolation } from '../support/real-hub.ts';
import { readPage } from './pages.ts';

const page = readPage('README.md');
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
const execute = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'polaron-readme-'));
const command = join(root, 'dist', 'cli', 'main.cjs');
const { POLARON_URL: _, ...inherited } = process.env;
const env = { ...inherited, POLARON_HOME: join(folder, 'home') };

async function node(...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, args, { cwd: root, env });
  return stdout;
}

const packageJson = (): { readonly version: string; readonly scripts: Readonly<Record<string, string>> } =>
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe("the README's code", () => {
  const code = blocks[0] ?? '';

  beforeAll(async () => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules', 'polaron'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    await node(command, 'start', '--detach', '--json', ...isolation);
  }, 60_000);
  afterAll(async () => {
    await node(command, 'stop');
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('is one block of about twenty lines', () => {
    expect(blocks).toHaveLength(1);
    expect(code.trim().split('\n').length).toBeLessThanOrEqual(24);
  });

  it('prints what its comment says, when it is run on a hub', { timeout: 60_000 }, async () => {
    const said = /\/\/ (\{.*\})\n$/.exec(code)?.[1];
    expect(said).toBeDefined();
    writeFileSync(join(folder, 'script.ts'), code);
    expect((await node('--import', 'tsx', join(folder, 'script.ts'))).trim()).toBe(said);
  });

  it('type-checks strictly against the built package', { timeout: 60_000 }, async () => {
    writeFileSync(
      join(folder, 'script.ts'),
      code
        .replace('console.log(await', 'const total: number = (await')
        .replace(/\); \/\/.*\n$/, ').total;\nexport { total };\n'),
    );
    symlinkSync(join(root, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ];
    const told = await execute(process.execPath, [tsc, ...options, 'script.ts'], { cwd: folder, env }).catch(
      (error: unknown) => error,
    );
    expect(told).toMatchObject({ stdout: '' });
  });
});

describe('the README', () => {
  it('names the tarball that `npm pack` makes, and scripts that there are', () => {
    const { version, scripts } = packageJson();
    expect(page.match(/polaron-\d[\w.-]*\.tgz/g)?.every((name) => name === `polaron-${version}.tgz`)).toBe(true);
    const named = [...page.matchAll(/npm (?:run )?(quickstart|test|bench)\b/g)].map(([, name = '']) => name);
    expect(new Set(named)).toEqual(new Set(['quickstart', 'test', 'bench']));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('compares with nothing that was not measured', () => {
    const measured = existsSync(join(root, 'bench/results/latest.json'));
    expect(measured || !/temporal|restate|dbos|bullmq|covalent|dask|prefect/i.test(page)).toBe(true);
  });
});
