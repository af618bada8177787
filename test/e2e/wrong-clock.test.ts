/** The wall clock of hub, agent and runners jumps by a day, forth and back, while they work: leases, back-offs and order rest on the monotonic clock alone. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { notedChain, throughGate } from './workflows/gates.ts';
import { retried } from './workflows/retries.ts';

const DAY_MS = 86_400_000;
const preload = fileURLToPath(new URL('../fixtures/jumping-clock.cjs', import.meta.url));
const hub = new RealHub({ env: { POLARON_LEASE_MS: '3000', NODE_OPTIONS: `--require ${preload}` } });
hub.env['TEST_CLOCK_FILE'] = join(hub.home, 'clock');
const jump = (ms: number): void => writeFileSync(join(hub.home, 'clock'), String(ms));
let folder: string;
beforeAll(async () => {
  jump(0);
  await hub.start();
  folder = mkdtempSync(join(hub.home, 'clock-'));
});
afterAll(() => hub.close());

const linesOf = (name: string): readonly string[] => {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};
const attempts = (): readonly number[] => linesOf('attempts').map(Number);

it('nothing is lost, repeated, hurried or held up', async () => {
  const agent = hub.pid('local-agent');
  const gated = await dispatch(throughGate)(folder, 'gate');
  const stubborn = await dispatch(retried)(folder);
  await until(() => linesOf('notes').some((line) => line.startsWith('begin gate')), 'an electron runs', 30_000);

  for (const offset of [DAY_MS, -DAY_MS]) {
    jump(offset);
    const before = attempts().length;
    expect(await getValue(await dispatch(notedChain)(folder, `chain${offset}`, 5))).toBe(5);
    // Back-offs neither end at once nor last a day.
    await until(() => attempts().length >= before + 3, 'it is tried again and again', 30_000);
  }
  // A hub that starts with a clock behind its records goes on with greater tokens, and takes the agent over.
  await hub.kill(hub.file().pid);
  await hub.start();
  const before = attempts().length;
  await until(() => attempts().length > before, 'it is tried again after the restart', 30_000);
  expect(await getValue(await dispatch(notedChain)(folder, 'after', 5))).toBe(5);
  jump(0);
  writeFileSync(join(folder, 'gate.open'), '');
  writeFileSync(join(folder, 'through.open'), '');
  expect([await getValue(gated), await getValue(stubborn)]).toEqual([3, 'through']);

  const gaps = attempts()
    .slice(1)
    .map((at, i) => at - (attempts()[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(395);
  expect(linesOf('notes').filter((line) => line.startsWith('begin gate'))).toHaveLength(1);
  expect((await (await getResult(gated)).electrons.get('gated')).attempts).toBe(1);
  expect(hub.pid('local-agent')).toBe(agent);
  expect(readFileSync(join(hub.home, 'hub.log'), 'utf8')).not.toMatch(/agent lost/);
}, 120_000);
