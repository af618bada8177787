/** Runs the compiler over types.test-d.ts: right uses compile, and each `@ts-expect-error` there is a misuse that fails, with the error that it names. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../house/sources.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polaron-types-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await symlink(join(root, 'package.json'), join(folder, 'package.json')); // a package may import itself
  await symlink(join(root, 'dist'), join(folder, 'dist'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What `tsc` says of one file, with the repository's strictness. */
async function compile(name: string, code: string): Promise<string> {
  const config = join(folder, `${name}.json`);
  const compilerOptions = { rootDir: '/', typeRoots: [join(root, 'node_modules/@types')], preserveSymlinks: true };
  await writeFile(join(folder, `${name}.ts`), code);
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files: [`${name}.ts`] }),
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', config]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? 'tsc did not run' }),
  );
  return stdout;
}

const source = readFile(join(root, 'test/sdk/types.test-d.ts'), 'utf8');

test('right uses compile, and every wrong use that types can stop does not', { timeout: 60_000 }, async () => {
  expect(await compile('uses', await source)).toBe('');
});

test('each wrong use fails with the error that is named beside it', { timeout: 60_000 }, async () => {
  const lines = (await source).split('\n');
  const said = await compile('misuses', lines.join('\n').replaceAll('@ts-expect-error', 'expected'));
  const found = [...said.matchAll(/misuses\.ts\((\d+),\d+\): error (TS\d+)/g)].map(([, at, code]) => `${at}: ${code}`);
  const named = lines.flatMap((line, index) =>
    /^ *\/\/ @ts-expect-error/.test(line) ? [`${index + 2}: ${/error (TS\d+)/.exec(line)?.[1] ?? 'no code'}`] : [],
  );
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((misuse) => !found.includes(misuse))).toEqual([]);
});
