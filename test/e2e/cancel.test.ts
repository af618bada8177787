/** Cancels and timeouts with real processes: what is stopped is gone, and an answer is true when it comes. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cancel, dispatch, getResult, getValue } from 'polaron';
import { processInfo } from '../../executors/process/process-table.ts';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { everyWay, hurried, inTime, oneIgnores, patiently, twoObey } from './workflows/stubborn.ts';

const hub = new RealHub({
  start: ['--slots', '4'],
  env: { POLARON_LEASE_MS: '3000', POLARON_HEARTBEAT_MS: '500' },
});
let folder: string;
beforeAll(async () => {
  await hub.start();
});
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'stubborn-'));
});
afterAll(() => hub.close());

const notes = (): readonly string[] =>
  existsSync(join(folder, 'notes')) ? readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n') : [];
const noted = (...words: string[]): Promise<void> =>
  until(() => words.every((word) => notes().some((line) => line.includes(word))), words.join(' and '), 40_000);
/** Of electrons, and of what they started. */
const livingPids = (): readonly number[] =>
  notes().flatMap((line) => {
    const pid = Number(/^pid (\d+)/.exec(line)?.[1] ?? 0);
    return pid > 0 && processInfo(pid) !== undefined ? [pid] : [];
  });

interface Shown {
  readonly status: string;
  readonly history: readonly {
    readonly attempt: number;
    readonly status: string;
    readonly agent?: string;
    readonly error?: { readonly code: string; readonly name?: string };
    readonly stdout: string;
  }[];
}
async function shown(id: string, electron: string): Promise<Shown> {
  const { out } = await hub.polaron(['show', id, electron, '--json']);
  const document: Shown = JSON.parse(out);
  return document;
}

async function comesTo(id: string, electron: string, status: string): Promise<void> {
  const end = Date.now() + 20_000;
  while ((await shown(id, electron)).status !== status)
    if (Date.now() > end) throw new Error(`${electron} of ${id} is not ${status}`);
}

describe('a cancel', { timeout: 90_000 }, () => {
  it('ends what waits, queues, runs and is retried; what ignores it is killed with its children within a second of the grace time', async () => {
    const id = await dispatch(everyWay)(folder);
    await noted('ended finishes', 'failed comesBackLater', ' obeys', ' ignores', ' child', ' spins');
    expect(livingPids().length).toBeGreaterThanOrEqual(4);
    const began = Date.now();
    const [first, second] = await Promise.all([cancel(id, { reason: 'enough' }), cancel(id)]);
    const took = Date.now() - began;
    expect(livingPids()).toEqual([]);
    expect(first.unconfirmed).toEqual([]);
    expect([...first.cancelled].sort()).toEqual(['comesBackLater', 'ignores', 'obeys', 'obeys', 'spins']);
    expect(second.cancelled.filter((name) => name === 'ignores')).toEqual(['ignores']);
    expect(notes()).toContain('aborted obeys enough');
    console.log(`cancel of electrons that ignore it: ${took} ms, 5000 of grace`);
    expect(took).toBeGreaterThan(4_900);
    expect(took).toBeLessThan(9_000);
    expect((await getResult(id, { wait: true })).status).toBe('cancelled');
    expect(await cancel(id)).toEqual({ cancelled: [], unconfirmed: [] });
  });

  it('of chosen electrons leaves the others', async () => {
    const id = await dispatch(twoObey)(folder);
    await noted(' obeys');
    expect(await cancel(id, { electrons: ['obeys'] })).toEqual({ cancelled: ['obeys'], unconfirmed: [] });
    const result = await getResult(id, { wait: true });
    expect((await result.electrons.get('finishes')).status).toBe('completed');
    expect(livingPids()).toEqual([]);
  });

  it('on an agent that cannot be reached is answered when its lease has ended, unconfirmed; back again, it stops what it has', async () => {
    const id = await dispatch(oneIgnores)(folder);
    await noted(' child');
    const agent = hub.pid('local-agent');
    process.kill(agent, 'SIGSTOP');
    try {
      expect(await cancel(id)).toEqual({ cancelled: ['ignores'], unconfirmed: ['ignores'] });
      expect((await getResult(id, { wait: true })).status).toBe('cancelled');
      expect(livingPids()).toHaveLength(2);
    } finally {
      process.kill(agent, 'SIGCONT');
    }
    await until(() => livingPids().length === 0, 'its processes are gone', 30_000);
  });

  it('stands when the hub is killed after it was asked, and is answered by the next hub', async () => {
    const id = await dispatch(oneIgnores)(folder);
    await noted(' child');
    const answer = cancel(id, { reason: 'over a restart' });
    await comesTo(id, 'ignores', 'cancelling');
    await hub.kill(hub.file().pid);
    await hub.start();
    expect((await answer).unconfirmed).toEqual([]);
    expect((await getResult(id, { wait: true })).status).toBe('cancelled');
    expect(livingPids()).toEqual([]);
  });
});

describe('time that is over', { timeout: 90_000 }, () => {
  it('ends what waits in vain, what takes too long in all, and what is silent, which is tried again', async () => {
    const id = await dispatch(inTime)(folder);
    const result = await getResult(id, { wait: true });
    if (result.status !== 'failed') throw new Error(`it is ${result.status}`);
    expect(result.errors.map(({ node, code }) => `${node} ${code}`).sort()).toEqual([
      'endless TIMEOUT',
      'unwanted TIMEOUT',
    ]);
    expect(livingPids()).toEqual([]);
    expect(await (await result.electrons.get('silent')).value()).toBe(2);
    expect(await shown(id, 'silent')).toMatchObject({
      status: 'completed',
      history: [
        {
          ...{ attempt: 1, status: 'failed', agent: 'local.local', stdout: 'this is attempt 1\n' },
          error: { code: 'TIMEOUT', name: 'SilenceTimeout' },
        },
        { attempt: 2, status: 'completed', stdout: 'this is attempt 2\n' },
      ],
    });
    expect((await shown(id, 'endless')).history).toMatchObject([{ attempt: 1, error: { name: 'TotalTimeout' } }]);
    expect((await shown(id, 'unwanted')).history).toEqual([]);
  });

  it('of a dispatch stops all of it, and it has failed', async () => {
    const id = await dispatch(hurried)(folder);
    const result = await getResult(id, { wait: true });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } });
    expect(livingPids()).toEqual([]);
  });

  it('a back-off goes on over a killed hub, and the attempts are counted on', async () => {
    const id = await dispatch(patiently)(folder);
    await noted('began patient 1');
    await comesTo(id, 'patient', 'retrying');
    await hub.kill(hub.file().pid);
    await hub.start();
    expect(await getValue(id)).toBe(3);
    const times = notes().map((line) => Number(line.split(' ')[3]));
    expect(times).toHaveLength(3);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(3_900);
    expect((await shown(id, 'patient')).history).toMatchObject([
      { attempt: 1, status: 'failed', error: { code: 'TASK_THREW', name: 'TypeError' } },
      { attempt: 2, status: 'failed' },
      { attempt: 3, status: 'completed' },
    ]);
  });
});
