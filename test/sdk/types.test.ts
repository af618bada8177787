/** Runs the compiler over types.test-d.ts: each `@ts-expect-error` there is a misuse that must not compile. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;

test('right uses compile, and every wrong use that types can stop does not', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'polaron-types-'));
  try {
    const config = join(folder, 'tsconfig.json');
    await writeFile(
      config,
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: { rootDir: '/', typeRoots: [join(root, 'node_modules/@types')] },
        include: [],
        files: [join(root, 'test/sdk/types.test-d.ts')],
      }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', config]).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? 'tsc did not run' }),
    );
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
