/** Several ways lead to one host, and a restarted agent takes all of them at once: each ends what the earlier life has left there. The carried program, without ssh. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageFile } from '../../../executors/program.ts';
import { until } from '../../support/until.ts';

const WAYS = 4;
const SESSIONS = 300;
const LEASE_MS = 2_000;
const program = fileURLToPath(packageFile('dist/executors/remote/pack/ssh.cjs'));
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'polaron-relay-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** What it says first; it ends with its input. */
async function relay(boot: number, way: string): Promise<string> {
  const args = ['relay', 'n', base, 'agent', String(boot), way, String(LEASE_MS), 'v'];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => said.includes('\n', 1) || child.exitCode !== null, 'its word', 30_000);
  child.stdin.end();
  return said.trim();
}

it('all of them get there', { timeout: 120_000 }, async () => {
  const lives = join(base, 'run', 'agent');
  for (let boot = 1; boot <= 3; boot++) {
    for (let session = 1; session <= SESSIONS; session++) {
      const groups = join(lives, `${boot - 1}-left`, `session-${session}`, 'groups');
      mkdirSync(groups, { recursive: true });
      writeFileSync(join(groups, '..', 'file'), '');
    }
    const said = await Promise.all(Array.from({ length: WAYS }, (_, way) => relay(boot, `way${way}`)));
    expect(said).toEqual(said.map(() => 'polaron:n:ready {"version":"v"}'));
    expect(readdirSync(lives).filter((name) => !name.startsWith(`${boot}-`))).toEqual([]);
  }
  await until(() => !existsSync(lives), 'the daemons to end', 30_000);
});
