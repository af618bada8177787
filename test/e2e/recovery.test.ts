/** Processes that are killed in the middle of the work: what is finished stays finished, what runs goes on, the rest follows. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { processInfo } from '../../executors/process/process-table.ts';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { harboured } from './workflows/daemons.ts';
import { notedChain, strictChain, throughGate, twoGates } from './workflows/gates.ts';
import { keys } from './workflows/retries.ts';

const hub = new RealHub({
  start: ['--slots', '4'],
  env: { POLARON_LEASE_MS: '3000', POLARON_HEARTBEAT_MS: '500' },
});
let folder: string;
beforeAll(async () => {
  await hub.start();
});
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'gates-'));
});
afterAll(() => hub.close());

const open = (name: string): void => writeFileSync(join(folder, `${name}.open`), '');
const notes = (): readonly string[] =>
  existsSync(join(folder, 'notes')) ? readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n') : [];
/** Of a note without its numbers. */
const times = (line: string): number => notes().filter((note) => note.replace(/( \d+)+$/, '') === line).length;
const noted = (line: string): Promise<void> => until(() => times(line) > 0, line, 20_000);

/** Kills the hub and starts it again each time one of these steps has ended. */
async function killAfter(name: string, steps: readonly number[]): Promise<void> {
  for (const step of steps) {
    await noted(`end ${name}.${step}`);
    await hub.kill(hub.file().pid);
    await hub.start();
  }
}
/** Another process, without the script of the dispatch, that waits for a value. */
function waitElsewhere(id: string): ReturnType<RealHub['launchScript']> {
  return hub.launchScript(
    `import { getResult, getValue } from 'polaron';
     await getResult(process.argv[2]);
     console.log('waiting');
     console.log(JSON.stringify(await getValue(process.argv[2])));`,
    [id],
  );
}

describe('a hub that was killed and started again', () => {
  it('adopts its agent and what runs there, repeats nothing, and answers whoever waits', async () => {
    const before = hub.file();
    const agent = hub.pid('local-agent');
    const gates = await dispatch(twoGates)(folder);
    const chain = await dispatch(notedChain)(folder, 'chain', 60);
    await Promise.all(['begin a', 'begin b', 'end chain.9'].map(noted));
    const waiting = [waitElsewhere(gates), waitElsewhere(chain)];
    await until(() => waiting.every(({ out }) => out().startsWith('waiting\n')), 'both wait', 20_000);

    await hub.kill(before.pid);
    // While there is no hub an electron ends, and its agent keeps the outcome.
    open('a');
    await noted('end a');
    expect(hub.pids('hub')).toEqual([]);
    await hub.start();

    const after = hub.file();
    expect([after.bus, after.userUrl, after.node]).toEqual([before.bus, before.userUrl, before.node]);
    expect(after.pid).not.toBe(before.pid);
    expect(hub.pid('local-agent')).toBe(agent);
    open('b');
    const [gatesEnd, chainEnd] = await Promise.all(waiting.map(({ finished }) => finished));
    expect(gatesEnd).toMatchObject({ exit: 0, out: 'waiting\n[2,2]\n' });
    expect(chainEnd).toMatchObject({ exit: 0, out: 'waiting\n60\n' });
    for (const name of ['a', 'b']) {
      expect([times(`begin ${name}`), times(`end ${name}`)]).toEqual([1, 1]);
      expect(times(`end after-${name}`)).toBe(1);
    }
    for (let step = 0; step < 60; step++)
      expect(notes().filter((line) => line === `end chain.${step}`)).toHaveLength(1);
    expect((await (await getResult(gates)).electrons.get('gated')).attempts).toBe(1);
  });

  it('again and again in the middle of a chain loses no step, and repeats none: what was not on disk is adopted from the agent', async () => {
    const id = await dispatch(notedChain)(folder, 'often', 80);
    await killAfter('often', [10, 30, 50]);
    expect(await getValue(id)).toBe(80);
    expect(notes()).toEqual(Array.from({ length: 80 }, (_, step) => `end often.${step}`));
  });

  it('repeats nothing of a strict lattice', async () => {
    const id = await dispatch(strictChain)(folder, 'strict', 80);
    await killAfter('strict', [10, 30, 50]);
    expect(await getValue(id)).toBe(80);
    expect(notes()).toEqual(Array.from({ length: 80 }, (_, step) => `end strict.${step}`));
  });
});

it('stop and start keep results, address and credentials, and what was under way is done', async () => {
  open('done');
  const done = await dispatch(throughGate)(folder, 'done');
  expect(await getValue(done)).toBe(3);
  const unfinished = await dispatch(twoGates)(folder);
  await noted('begin a');
  await noted('begin b');
  open('a');
  await noted('end after-a');
  const before = hub.file();
  const stopped = await hub.stop();
  expect([stopped.exit, hub.pids('hub'), hub.pids('local-agent')]).toEqual([0, [], []]);
  await hub.start();
  expect([hub.file().bus, hub.file().userUrl]).toEqual([before.bus, before.userUrl]);
  const result = await getResult(done);
  expect(result).toMatchObject({ status: 'completed', value: 3 });
  expect(await result.args()).toEqual([folder, 'done']);
  open('b');
  expect(await getValue(unfinished)).toEqual([2, 2]);
  expect([times('end before'), times('end a'), times('end after-a'), times('end b')]).toEqual([1, 1, 1, 1]);
});

it("nodeId names a call of an electron, and an item of a map, in all attempts and before and after the hub's death", async () => {
  const id = await dispatch(keys)(folder);
  const noted = (): readonly (readonly string[])[] =>
    existsSync(join(folder, 'keys'))
      ? readFileSync(join(folder, 'keys'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
      : [];
  const nodes = (): number => new Set(noted().map(([label]) => label)).size;
  await until(() => nodes() === 11, 'all were tried', 20_000);
  await hub.kill(hub.file().pid);
  const before = noted().length;
  open('through');
  await hub.start();
  const values = (await getValue(id)).flat(3);
  expect(new Set(values).size).toBe(11);
  expect(noted().length).toBeGreaterThanOrEqual(before);
  expect(new Set(noted().map(([label, nodeId]) => `${label} ${nodeId}`)).size).toBe(11);
  expect(new Set(noted().map(([, , attempt]) => attempt)).size).toBeGreaterThan(1);
  const { electrons } = await getResult(id);
  expect(await (await electrons.get(Number(values[1]))).value()).toBe(values[1]);
});

it('a killed agent is started again, its electrons run again, and their old processes are gone', async () => {
  const id = await dispatch(twoGates)(folder);
  await noted('begin a');
  await noted('begin b');
  const agent = hub.pid('local-agent');
  const runners = notes().flatMap((line) => Number(/^begin \S+ (\d+)/.exec(line)?.[1] ?? []) || []);
  await hub.kill(agent);
  await until(() => times('begin a') === 2 && times('begin b') === 2, 'both began again', 30_000);
  expect(runners.filter((pid) => processInfo(pid) !== undefined)).toEqual([]);
  open('a');
  open('b');
  expect(await getValue(id)).toEqual([2, 2]);
  expect(hub.pid('local-agent')).not.toBe(agent);
  const result = await getResult(id);
  expect(result.status).toBe('completed');
  expect([times('end before'), times('end a'), times('end b'), times('end after-a')]).toEqual([1, 1, 1, 1]);
});

it('a killed agent leaves nothing of its electrons: no busy loop, no child, no detached one', async () => {
  const id = await dispatch(harboured)(folder);
  await noted('pids');
  const pids = notes().flatMap((line) => (line.startsWith('pids ') ? line.slice(5).split(' ').map(Number) : []));
  expect(pids.map((pid) => processInfo(pid) !== undefined)).toEqual([true, true, true]);
  const agent = hub.pid('local-agent');
  await hub.kill(agent);
  await until(() => pids.every((pid) => processInfo(pid) === undefined), 'all have gone', 2_000);
  expect(await getValue(id)).toBe(2);
  expect(hub.pid('local-agent')).not.toBe(agent);
});

it('hub, agent and runners killed at once: what was dispatched is done, and what had ended is not done again', async () => {
  const gates = await dispatch(twoGates)(folder);
  const chain = await dispatch(notedChain)(folder, 'all', 30);
  await Promise.all(['begin a', 'begin b', 'end all.5'].map(noted));
  const runners = notes().flatMap((line) => Number(/^begin \S+ (\d+)/.exec(line)?.[1] ?? []) || []);
  for (const pid of [...hub.pids('hub'), ...hub.pids('local-agent'), ...runners]) process.kill(pid, 'SIGKILL');
  await until(() => hub.pids('hub').length === 0, 'the hub has gone');
  const before = notes().length;
  open('a');
  open('b');
  await hub.start();
  expect(await getValue(gates)).toEqual([2, 2]);
  expect(await getValue(chain)).toBe(30);
  expect([times('end before'), times('end a'), times('end b')]).toEqual([1, 1, 1]);
  const steps = notes().filter((line) => line.startsWith('end all.'));
  expect(new Set(steps).size).toBe(30);
  // the one that ran, and those whose outcomes weren't yet written when the agent died
  expect(steps.length).toBeLessThanOrEqual(31);
  expect(before).toBeGreaterThan(5);
});
