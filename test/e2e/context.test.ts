/** `context()` on agents: what an electron knows of itself, and where what it says is seen while it runs and afterwards. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, dispatch, type DispatchEvent, getResult, getValue, watch } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { about, littering, reporting, stopping } from './workflows/reporting.ts';

const hub = new RealHub({ start: ['--slots', '4'] });
beforeAll(() => hub.start());
afterAll(() => hub.close());

const folder = (): string => mkdtempSync(join(hub.home, 'told-'));
const lines = (out: string): unknown[] =>
  out
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
const withoutTime = (x: unknown): unknown => (typeof x === 'object' && x !== null ? { ...x, at: 'then' } : x);

it('an electron knows dispatch, node, lattice, user and metadata, inside another lattice too', async () => {
  const id = await dispatch(about)([1, 2, 3]);
  const { one, many, inside } = await getValue(id);
  const { user } = hub.file();
  const metadata = { team: 'vision', ticket: 'V-7' };
  const known = { attempt: 1, electronName: 'told', user, metadata };
  expect(one).toEqual({ ...known, dispatchId: id, nodeId: '0', latticeName: 'about' });
  expect(many[1]).toMatchObject({ ...known, dispatchId: id, latticeName: 'about' });
  expect(inside).toMatchObject({ ...known, latticeName: 'inner' });
});

it('what it logs, prints and its progress are seen while it runs, and kept with fields', {
  timeout: 60_000,
}, async () => {
  const home = folder();
  const open = (gate: string): void => writeFileSync(join(home, gate), '');
  const id = await dispatch(reporting)(home);
  const events: DispatchEvent[] = [];
  const watching = (async () => {
    for await (const event of watch(id, { from: 'start' })) events.push(event);
  })();
  const following = hub.launchPolaron(['logs', id, 'report', '--follow']);
  const followingAll = hub.launchPolaron(['logs', id, '--follow', '--json']);

  const electron = async () => (await getResult(id)).electrons.get('report');
  await until(
    async () => (await (await electron()).stdout()) === 'attempt 1 prints\n',
    'its output, while it runs',
    30_000,
  );
  expect(await (await electron()).logs()).toEqual([
    { at: expect.any(Date), message: 'begun', fields: { attempt: 1, big: '2n' } },
  ]);
  const live = await hub.polaron(['logs', id, 'report']);
  expect(live.out).toMatch(/^attempt 1 prints\nand warns\n\d\d:\d\d:\d\d begun {2}attempt=1 big=2n\n$/);
  await until(() => following.out().includes('begun  attempt=1'), 'what is followed', 30_000);

  open('1-half');
  await until(() => following.out().includes('half way  loss=0.25 note="two words"'), 'the next entry', 30_000);
  expect(following.out()).not.toContain('no end of line');
  for (const gate of ['1-done', '2-half', '2-done']) open(gate);
  await watching;

  const said = (attempt: number): string[] => [
    `attempt ${attempt} prints`,
    'and warns',
    `begun  attempt=${attempt} big=2n`,
    'half way  loss=0.25 note="two words"',
    'no end of line',
    'done',
  ];
  const followed = await following.finished;
  expect(followed.exit).toBe(0);
  const seen = followed.out
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''));
  expect(seen.toSorted()).toEqual([...said(1), ...said(2)].toSorted());
  expect(seen.indexOf('attempt 2 prints')).toBeGreaterThan(seen.indexOf('attempt 1 prints'));

  const entries = (await hub.polaron(['logs', id, '--json'])).out;
  const head = { node: 0, electron: 'report', stream: 'log', at: 'then' };
  expect(
    lines(entries)
      .filter((line) => Reflect.get(Object(line), 'stream') === 'log')
      .map(withoutTime),
  ).toEqual([
    { ...head, message: 'begun', fields: { attempt: 2, big: '2n' } },
    { ...head, message: 'half way', fields: { loss: 0.25, note: 'two words' } },
    { ...head, message: 'done' },
  ]);
  expect(lines((await followingAll.finished).out)).toEqual(expect.arrayContaining(lines(entries)));
  expect(lines((await followingAll.finished).out)).toHaveLength(12);
  expect(await hub.json(['show', id, 'report'])).toMatchObject({
    history: [
      { attempt: 1, log: [{ message: 'begun' }, { message: 'half way' }, { message: 'done' }] },
      { attempt: 2 },
    ],
  });

  const told = events.filter(({ type }) => type === 'electron.log').map(({ data }) => withoutTime(data));
  expect(told).toContainEqual({
    stream: 'log',
    at: 'then',
    message: 'half way',
    fields: { loss: 0.25, note: 'two words' },
  });
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'electron.progress',
      electron: 'report',
      node: 0,
      data: { fraction: 0.5, note: 'half' },
    }),
  );
});

describe('its scratch folder', () => {
  it('is below the agent’s state folder, and gone however the attempt ended', async () => {
    const home = folder();
    const id = await dispatch(littering)(home);
    const names = ['return', 'throw', 'crash', 'wait'];
    await until(() => names.every((name) => existsSync(join(home, name))), 'all of them');
    await cancel(id);
    const folders = names.map((name) => readFileSync(join(home, name), 'utf8'));
    expect(new Set(folders).size).toBe(4);
    for (const one of folders) expect(one).toContain(join(hub.home, 'data', 'agent', 'scratch'));
    await until(() => !folders.some((one) => existsSync(one)), 'the folders to go');
  });
});

it('its signal’s reason says by code why it has to stop', async () => {
  const [byTimeout, byCancel] = [join(folder(), 'timeout'), join(folder(), 'cancel')];
  const id = await dispatch(stopping)(byTimeout, byCancel);
  await until(() => existsSync(byTimeout), 'the timeout');
  await cancel(id, { reason: 'enough' });
  await until(() => existsSync(byCancel), 'the cancel');
  expect(JSON.parse(readFileSync(byTimeout, 'utf8'))).toMatchObject({ name: 'AbortError', code: 'TIMEOUT' });
  expect(JSON.parse(readFileSync(byCancel, 'utf8'))).toEqual({
    name: 'AbortError',
    code: 'CANCELLED',
    message: 'enough',
  });
});
