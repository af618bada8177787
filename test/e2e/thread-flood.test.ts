/** An electron in a thread that prints without end while its agent is late, and one that shares its process: a whole system, with every pipe full. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch, getResult } from 'polaron';
import { residentBytesOfTree } from '../../executors/process/process-table.ts';
import { RealHub } from '../support/real-hub.ts';
import { MIB } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { flood } from './workflows/threads.ts';

const FLOOD_MS = 2_500;
const ROUNDS = 20;
/** The agent is stopped for so long. */
const LATE_MS = 1_000;
/** From one short electron to the next, which takes 50 ms, and about as much to get there and back; on a machine that is busy some times that. */
const BOUND_MS = 2_000;
/** What the process of the threads may hold. */
const MOST_BYTES = 200 * MIB;

const hub = new RealHub({ start: ['--slots', '2'] });
beforeAll(async () => void (await hub.start()));
afterAll(() => hub.close());

it('beside an electron that prints without end short ones run once each, and soon; what it says waits in its thread', async () => {
  const path = join(hub.home, 'notes');
  writeFileSync(path, '');
  const notes = () =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [n = 0, pid = 0, at = 0] = line.split(' ').map(Number);
        return { n, pid, at };
      });
  const id = await dispatch(flood)(path, FLOOD_MS, ROUNDS);
  await until(() => notes().length > 2, 'some have run', 20_000);
  const agent = hub.pid('local-agent');
  const host = notes().at(-1)?.pid ?? 0;
  const held: number[] = [];
  process.kill(agent, 'SIGSTOP');
  try {
    for (const end = performance.now() + LATE_MS; performance.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      held.push(residentBytesOfTree(host));
    }
  } finally {
    process.kill(agent, 'SIGCONT');
  }
  const result = await getResult(id, { wait: true });
  expect(result).toMatchObject({ status: 'completed', value: { host, last: ROUNDS } });
  const gaps = notes().map(({ at }, i, all) => at - (all[i - 1]?.at ?? at));
  expect(Math.max(...held)).toBeLessThan(MOST_BYTES);
  expect(Math.max(...gaps)).toBeLessThan(LATE_MS + BOUND_MS);
  expect(notes().map(({ n }) => n)).toEqual(Array.from({ length: ROUNDS }, (_, i) => i));
});
