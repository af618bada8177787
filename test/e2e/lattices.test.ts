/** Lattices through a whole system: what fails and what goes on, the Result from everywhere, logs, cancel, watch, idempotency, retries. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  cancel,
  dispatch,
  dispatchSync,
  getResult,
  getValue,
  watch,
  WorkflowCancelled,
  WorkflowFailed,
  type DispatchEvent,
  type Result,
} from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { branches, chat, failsEarly, failsFast, retried, severalRoots, unsendable } from './workflows/failures.ts';
import { throughGate, twoGates } from './workflows/gates.ts';

const hub = new RealHub({ start: ['--slots', '4'] });
let folder: string;
beforeAll(async () => {
  await hub.start();
});
beforeEach(() => {
  folder = mkdtempSync(join(hub.home, 'gates-'));
});
afterAll(() => hub.close());

const open = (name: string): void => writeFileSync(join(folder, `${name}.open`), '');
const notes = (): string => (existsSync(join(folder, 'notes')) ? readFileSync(join(folder, 'notes'), 'utf8') : '');
const began = (name: string): Promise<void> => until(() => notes().includes(`begin ${name} `), `${name} began`, 20_000);

/** By node id: several nodes may be runs of one electron. */
async function statuses(result: Result<unknown>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, status } of result.electrons.list()) found.push(`${name} ${status}`);
  return found;
}

describe('a failing electron', () => {
  it('stops what depends on it, which names it; independent branches go on', async () => {
    const result = await dispatchSync(branches)();
    if (result.status !== 'failed') throw new Error(result.status);
    expect(await statuses(result)).toEqual([
      'breaks failed',
      'good completed',
      'good completed',
      'add skipped',
      'good skipped',
    ]);
    expect(await (await result.electrons.get(2)).value()).toBe(3);
    expect(await hub.json(['show', result.id])).toMatchObject({
      electrons: [{}, {}, {}, { status: 'skipped', cause: 'breaks' }, { status: 'skipped', cause: 'breaks' }],
    });
  });

  it("is told with the user's message, code and stack", async () => {
    const id = await dispatch(branches)();
    const error: unknown = await getValue(id).catch((thrown: unknown) => thrown);
    if (!(error instanceof WorkflowFailed)) throw new Error(String(error));
    expect(error.message).toContain('electron "breaks": cannot compute');
    expect(error.result.error).toMatchObject({ node: 'breaks', message: 'cannot compute' });
    expect(error.result.error.stack).toMatch(/RangeError: cannot compute\n.*failures\.ts:\d+/);
    const shown = await hub.polaron(['result', id]);
    expect([shown.exit, shown.out]).toEqual([1, '']);
    expect(await hub.json(['result', id])).toMatchObject({
      status: 'failed',
      error: { node: 'breaks', name: 'RangeError', userCode: 'E_BROKEN' },
    });
    const electron = await error.result.electrons.get('breaks');
    expect(await electron.stderr()).toBe('about to break compute\n');
    await expect(electron.value()).rejects.toMatchObject({ code: 'VALUE_MISSING' });
  });

  it('is one of several root failures, all listed', async () => {
    const result = await dispatchSync(severalRoots)();
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.errors.map(({ message }) => message).sort()).toEqual(['cannot left', 'cannot right']);
    expect((await hub.polaron(['show', result.id])).out).toMatch(/cannot left[^]*cannot right/);
  });

  it('with failFast cancels the rest', async () => {
    const id = await dispatch(failsFast)(folder);
    const result = await getResult(id, { wait: true });
    expect(result.status).toBe('failed');
    expect(await statuses(result)).toEqual(['breaks failed', 'gated cancelled', 'add skipped']);
  });

  it.each([
    ['function', '$.model.predict'],
    ['symbol', '$[0].key'],
    ['instance', '$.points[0]'],
  ] as const)('that returns a %s is refused with the path %s', async (which, path) => {
    const result = await dispatchSync(unsendable)(which);
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.error.code).toBe('RESULT_NOT_SERIALISABLE');
    expect(result.error.message).toContain(`at ${path} `);
  });
});

describe('a Result', () => {
  it('holds everything while the rest still runs, after a failure, and in another process without the script', async () => {
    const id = await dispatch(failsEarly)(folder);
    await began('late');
    // An agent says what has begun with its next heartbeat.
    const wanted = new Set(['electron.failed breaks', 'electron.running gated']);
    for await (const { type, electron } of watch(id, { from: 'start' })) {
      if (wanted.delete(`${type} ${electron}`) && wanted.size === 0) break;
    }
    const early = await getResult(id);
    expect(early.status).toBe('running');
    expect(early).not.toHaveProperty('value');
    expect(await early.args()).toEqual([folder]);
    expect(early.lattice).toMatchObject({ name: 'failsEarly', graph: { nodes: { length: 4 } } });
    expect(early.lattice.source).toMatch(/function failsEarly\(folder.*\) \{[^]*breaks\(['"]early['"]\)/);
    expect(early.acceptedAt.getTime()).toBeLessThanOrEqual(early.startedAt?.getTime() ?? 0);
    expect(await early.electrons.get('breaks')).toMatchObject({
      status: 'failed',
      attempts: 1,
      agent: 'local.local',
      error: { message: 'cannot early' },
    });
    expect((await early.electrons.get('gated')).status).toBe('running');

    const readIt = `
      import { getResult } from 'polaron';
      const result = await getResult(process.argv[2], { wait: process.argv[3] === 'wait' });
      const electrons = {};
      for await (const e of result.electrons.list())
        electrons[e.name] = [e.status, e.agent, e.error?.message, await e.stderr(), e.status === 'completed' ? await e.value() : null];
      console.log(JSON.stringify({ status: result.status, args: await result.args(), source: result.lattice.source, error: result.error?.message,
        nodes: result.lattice.graph.nodes.map(({ name }) => name), ended: result.endedAt instanceof Date, electrons }));
    `;
    const elsewhere = async (...args: string[]): Promise<unknown> => {
      const { exit, out, err } = await hub.script(readIt, [id, ...args]);
      expect([exit, err]).toEqual([0, '']);
      return JSON.parse(out);
    };
    const about = { args: [folder], source: early.lattice.source, nodes: ['breaks', 'good', 'gated', 'add'] };
    const failed = ['failed', 'local.local', 'cannot early', 'about to break early\n', null];
    expect(await elsewhere()).toMatchObject({
      ...about,
      status: 'running',
      ended: false,
      electrons: { breaks: failed, gated: ['running', 'local.local', null, '', null] },
    });
    open('late');
    expect(await elsewhere('wait')).toMatchObject({
      ...about,
      status: 'failed',
      ended: true,
      error: 'cannot early',
      electrons: {
        breaks: failed,
        gated: ['completed', 'local.local', null, '', 1],
        good: ['skipped', null, null, '', null],
        add: ['skipped', null, null, '', null],
      },
    });
  });

  it('of a dispatch that runs has the values that are there', async () => {
    const id = await dispatch(twoGates)(folder);
    await began('a');
    await began('b');
    const result = await getResult(id);
    expect(await (await result.electrons.get('plusOneNoted')).value()).toBe(1);
    await expect((await result.electrons.get('gated')).value()).rejects.toMatchObject({ code: 'VALUE_MISSING' });
    await expect(result.electrons.get('gatd')).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
      message: expect.stringContaining('did you mean gated'),
    });
    open('a');
    for await (const event of watch(id, { from: 'start' })) {
      if (event.type === 'electron.completed' && notes().includes('end after-a')) break;
    }
    expect((await getResult(id)).status).toBe('running');
    open('b');
    expect(await getValue(id)).toEqual([2, 2]);
  });
});

it('keeps the output of electrons that run at once apart', async () => {
  const result = await dispatchSync(chat)(folder);
  expect(result).toMatchObject({ status: 'completed', value: ['a', 'b'] });
  for (const [node, name] of ['a', 'b'].entries()) {
    const electron = await result.electrons.get(node);
    const lines = (stream: string, from: number): string =>
      Array.from({ length: 100 - from }, (_, line) => `${name} ${stream} ${line + from}\n`).join('');
    expect(await electron.stdout()).toBe(lines('out', 0));
    expect(await electron.stderr()).toBe(lines('err', 50));
    expect((await hub.polaron(['logs', result.id, String(node)])).out).toContain(`${name} out 99\n`);
  }
});

describe('cancel', () => {
  it('of a running dispatch stops its electrons, and what waits never begins', async () => {
    const id = await dispatch(throughGate)(folder, 'never');
    await began('never');
    const pid = Number(/begin never (\d+)/.exec(notes())?.[1]);
    expect(await cancel(id, { reason: 'no longer wanted' })).toMatchObject({ unconfirmed: [] });
    await expect(getValue(id)).rejects.toBeInstanceOf(WorkflowCancelled);
    const result = await getResult(id);
    expect(result.status).toBe('cancelled');
    expect(await statuses(result)).toEqual(['plusOne completed', 'gated cancelled', 'plusOne cancelled']);
    open('never');
    // Its runner is gone or does other work: nothing of the electron is left to see the gate open.
    expect(await getValue(await dispatch(throughGate)(folder, 'never'))).toBe(3);
    expect(notes().match(/end never/g)).toHaveLength(1);
    expect(pid).toBeGreaterThan(0);
    expect((await hub.polaron(['result', id])).exit).toBe(1);
  });

  it('of one electron skips what depends on it; the rest goes on', async () => {
    const id = await dispatch(twoGates)(folder);
    await began('a');
    await began('b');
    expect(await cancel(id, { electrons: [1] })).toMatchObject({ cancelled: ['gated'], unconfirmed: [] });
    open('b');
    const result = await getResult(id, { wait: true });
    expect(await statuses(result)).toEqual([
      'plusOneNoted completed',
      'gated cancelled',
      'gated completed',
      'plusOneNoted skipped',
      'plusOneNoted completed',
    ]);
  });
});

it('watch from the start sees every durable event, with consecutive seq', async () => {
  const id = await dispatch(twoGates)(folder);
  const events: DispatchEvent[] = [];
  const watching = (async () => {
    for await (const event of watch(id, { from: 'start' })) events.push(event);
  })();
  await began('a');
  await began('b');
  const late: DispatchEvent[] = [];
  const watchingLate = (async () => {
    for await (const event of watch(id, { from: 'start' })) late.push(event);
  })();
  open('a');
  open('b');
  await Promise.all([watching, watchingLate]);
  for (const seen of [events, late]) {
    // What is accepted and started has no electron; the rest of what is durable is numbered without a gap.
    expect(seen.slice(0, 2).map(({ type }) => type)).toEqual(['dispatch.accepted', 'dispatch.started']);
    const durable = seen.filter(({ type }) => /completed|failed|cancelled|skipped|retrying/.test(type));
    expect(durable.map(({ seq }) => seq)).toEqual(durable.map((_, index) => index + 2));
    expect(durable.map(({ type }) => type)).toEqual([
      ...Array.from({ length: 5 }, () => 'electron.completed'),
      'dispatch.completed',
    ]);
  }
});

describe('dispatch', () => {
  it('with the same idempotency key gives the same dispatch; with other content it is refused', async () => {
    open('x');
    const key = `key-${folder}`;
    const [first, second] = await Promise.all([
      dispatch(throughGate, { idempotencyKey: key })(folder, 'x'),
      dispatch(throughGate, { idempotencyKey: key })(folder, 'x'),
    ]);
    expect(second).toBe(first);
    expect(await getValue(first)).toBe(3);
    expect(await dispatch(throughGate, { idempotencyKey: key })(folder, 'x')).toBe(first);
    expect(notes().match(/begin x /g)).toHaveLength(1);
    await expect(dispatch(throughGate, { idempotencyKey: key })(folder, 'y')).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    });
  });

  it('tries an electron again as often as it may', async () => {
    const result = await dispatchSync(retried)(3);
    expect(result).toMatchObject({ status: 'completed', value: 4 });
    expect((await result.electrons.get('flaky')).attempts).toBe(3);
    const types: string[] = [];
    for await (const { type } of watch(result.id, { from: 'start' })) types.push(type);
    expect(types.at(-1)).toBe('dispatch.completed');
    const failed = await dispatchSync(retried)(9);
    expect(failed).toMatchObject({ status: 'failed', error: { message: 'attempt 4 fails' } });
    expect((await failed.electrons.get('flaky')).attempts).toBe(4);
  });
});
