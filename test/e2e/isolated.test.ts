/** `polaron start --isolate results`: the result manager and its store in a process of their own, which may die. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getResult, getValue, watch } from 'polaron';
import { listProcesses, processInfo } from '../../executors/process/process-table.ts';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { branches } from './workflows/failures.ts';
import { notedChain, throughGate, twoGates } from './workflows/gates.ts';
import { describeKinds, digestOf, everyKind, kindsEverywhere, large, noise } from './workflows/kinds.ts';
import { doubled } from './workflows/maps.ts';

const hub = new RealHub({ start: ['--isolate', 'results', '--slots', '4'] });
let folder: string;
beforeAll(() => hub.start());
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'gates-'));
});
afterAll(() => hub.close());

const open = (name: string): void => writeFileSync(join(folder, `${name}.open`), '');
const notes = (): readonly string[] =>
  existsSync(join(folder, 'notes')) ? readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n') : [];
const noted = (line: string): Promise<void> => until(() => notes().some((note) => note.startsWith(line)), line, 20_000);

/** Kills the process of the result manager; resolves when there is another. */
async function killResults(): Promise<void> {
  const pid = hub.resultsPid();
  await hub.kill(pid);
  await until(() => {
    const parent = hub.pid('hub');
    return listProcesses().some((one) => one.parent === parent && !hub.pids('local-agent').includes(one.pid));
  }, 'the result manager is started again');
}

describe('an isolated result manager', () => {
  it('is another process than the hub, and holds the data folder', () => {
    const lock: unknown = JSON.parse(readFileSync(join(hub.file().data, 'polaron.lock'), 'utf8'));
    expect(lock).toMatchObject({ pid: hub.resultsPid() });
    expect(hub.resultsPid()).not.toBe(hub.pid('hub'));
  });

  it('keeps values of all kinds, maps, failures and large values like one in the hub', async () => {
    const kinds = await getValue(await dispatch(kindsEverywhere)(everyKind()));
    expect(kinds.ofGiven.said).toEqual(describeKinds(everyKind()));
    expect(describeKinds(kinds.made)).toEqual(describeKinds(everyKind()));
    expect(await getValue(await dispatch(doubled)(100))).toMatchObject({ howMany: 100, sum: 9_900 });
    const failed = await dispatchSync(branches)();
    expect(failed).toMatchObject({ status: 'failed', error: { node: 'breaks', message: 'cannot compute' } });
    const size = 1024 * 1024;
    const value = await getValue(await dispatch(large)(noise(size, 3), size));
    expect(digestOf(value.joined)).toBe(digestOf(Buffer.concat([noise(size, 3), noise(size, 7)])));
  });

  it('may be killed in the middle of the work: all completes, and every electron ran once', async () => {
    const agent = hub.pid('local-agent');
    const [gates, chain] = [await dispatch(twoGates)(folder), await dispatch(notedChain)(folder, 'chain', 100)];
    await Promise.all(['begin a ', 'begin b ', 'end chain.10'].map(noted));
    await killResults();
    open('a');
    await noted('end chain.50');
    await killResults();
    open('b');
    expect(await getValue(gates)).toEqual([2, 2]);
    expect(await getValue(chain)).toBe(100);
    const steps = notes().filter((line) => line.startsWith('end chain.'));
    expect(steps).toEqual(Array.from({ length: 100 }, (_, step) => `end chain.${step}`));
    for (const line of ['end before', 'end a', 'end b', 'end after-a', 'end after-b']) {
      expect(notes().filter((note) => note === line)).toHaveLength(1);
    }
    const result = await getResult(chain);
    expect(result.electrons.counts).toEqual({ completed: 100 });
    const seqs: number[] = [];
    for await (const { seq, type } of watch(chain, { from: 'start' })) if (/completed/.test(type)) seqs.push(seq);
    expect(seqs).toEqual(Array.from({ length: 101 }, (_, index) => index + 2));
    expect(hub.pid('local-agent')).toBe(agent);
  });

  it('may be killed while somebody waits for a result, and before one is asked for', async () => {
    const id = await dispatch(throughGate)(folder, 'one');
    await noted('begin one ');
    const waiting = getValue(id);
    await killResults();
    open('one');
    expect(await waiting).toBe(3);
    await killResults();
    expect(await getResult(id)).toMatchObject({ status: 'completed', value: 3 });
    open('two');
    expect(await getValue(await dispatch(throughGate)(folder, 'two'))).toBe(3);
  });

  it('ends with its hub, even when that is killed, and the next hub goes on with the data', async () => {
    const id = await dispatch(throughGate)(folder, 'three');
    await noted('begin three ');
    const results = hub.resultsPid();
    await hub.kill(hub.pid('hub'));
    await until(() => processInfo(results) === undefined, 'the result manager ends');
    await hub.start();
    open('three');
    expect(await getValue(id)).toBe(3);
    expect(notes().filter((note) => note === 'end three')).toHaveLength(1);
  });
});
