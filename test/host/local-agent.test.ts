/** The hub's own agent when it dies again and again. Processes are real; the hub's time is the test's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endProcesses } from '../../host/end-processes.ts';
import { livingInstances } from '../../host/instances.ts';
import { startLocalAgent, type LocalAgent } from '../../host/local-agent.ts';
import { FakeClock } from '../actors/support/fake-clock.ts';
import { makeLogList } from '../support/log-list.ts';
import { until } from '../support/until.ts';

let home = '';
let agent: LocalAgent | undefined;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'polaron-local-agent-'));
});
afterEach(async () => {
  await agent?.stop();
  await endProcesses(livingInstances(home), { graceMs: 0 });
  rmSync(home, { recursive: true, force: true });
});

const pids = (): readonly number[] => livingInstances(home).map(({ pid }) => pid);
async function kill(): Promise<void> {
  for (const pid of pids()) process.kill(pid, 'SIGKILL');
  await until(() => pids().length === 0, 'it is gone');
}

it('is started again less and less often, and at once again after it has lived for a while', async () => {
  const clock = new FakeClock();
  const { log, entries } = makeLogList();
  agent = await startLocalAgent({ home, data: home, site: 'local', name: 'local', slots: 1, clock, log });
  const inARow = (): unknown[] => entries.map(({ fields }) => fields['inARow']);
  // The first look comes after 1 s, and after the n-th death in a row the next one n s later.
  for (const [deaths, pauseMs] of [1_000, 1_000, 2_000, 3_000].entries()) {
    await kill();
    await clock.advance(pauseMs - 1);
    expect([pids(), inARow().length]).toEqual([[], deaths]);
    await clock.advance(1);
    expect(pids()).toHaveLength(1);
    expect(inARow().at(-1)).toBe(deaths + 1);
  }
  // It lives on for a while; then it may die as if for the first time.
  await clock.advance(32_000);
  await kill();
  await clock.advance(1_000);
  expect(inARow()).toEqual([1, 2, 3, 4, 1]);
  expect(pids()).toHaveLength(1);
});
