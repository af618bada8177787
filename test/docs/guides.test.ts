/** The code of the guides as a reader would use it: under tsx, against a hub of `polaron start`; it prints what the page says. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../house/sources.ts';
import { isolation } from '../support/real-hub.ts';
import { readPage } from './pages.ts';

const execute = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'polaron-guides-'));
const command = join(root, 'dist', 'cli', 'main.cjs');
const { POLARON_URL: _, ...inherited } = process.env;
const env = { ...inherited, POLARON_HOME: join(folder, 'home') };

async function node(...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, args, { cwd: root, env });
  return stdout;
}

const blockOf = (page: string, language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? '';

describe('the code of a guide', () => {
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

  it('about failures prints what the page says', { timeout: 60_000 }, async () => {
    const page = readPage('docs/guides/failures.md');
    const script = join(folder, 'failures.ts');
    writeFileSync(script, blockOf(page, 'ts'));
    expect(await node('--import', 'tsx', script)).toBe(blockOf(page, 'text'));
  });
});
