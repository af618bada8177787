/** `polaron check` and `polaron compact` as they are typed: exit codes, words, the JSON document; and a start whose result manager can't begin. */
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dispatchSync } from 'polaron';
import { makeData, type MadeData } from '../support/data-folder.ts';
import { RealHub } from '../support/real-hub.ts';
import { doubled } from './workflows/maps.ts';

const hub = new RealHub({ start: ['--no-agent'] });
let path = '';
let made: MadeData;
let count = 0;
beforeEach(async () => {
  path = join(hub.home, `data-${++count}`);
  made = await makeData(path);
});
afterAll(() => hub.close());

const counts = { dispatches: 2, electrons: 103, values: 104, files: 1, journal: 0 };
const records = (): string => join(path, 'records', 'data.mdb');
function damageLarge(): void {
  const file = join(path, 'blobs', made.large.digest.slice(0, 2), made.large.digest);
  const bytes = readFileSync(file);
  bytes[5] = 0;
  writeFileSync(file, bytes);
}

describe('polaron check', () => {
  it('of a whole folder says so and ends with 0', async () => {
    expect(await hub.polaron(['check', '--data', path])).toEqual({
      exit: 0,
      out: '',
      err: 'looked at 2 dispatches, 103 electrons, 104 values, 1 file: all is whole\n',
    });
    expect(await hub.polaron(['check', '--data', path, '--json'])).toEqual({
      exit: 0,
      out: `${JSON.stringify({ data: path, ok: true, problems: [], ...counts })}\n`,
      err: '',
    });
  });

  it('names what is damaged and ends with 1', async () => {
    damageLarge();
    const said = await hub.polaron(['check', '--data', path]);
    expect([said.exit, said.err]).toEqual([1, expect.stringMatching(/, 1 file: 3 problems\n$/)]);
    expect(said.out).toContain(
      `dispatch ${made.ended}, electron 1: it names value ${made.large.digest}, which is damaged\n`,
    );
    const json = await hub.polaron(['check', '--data', path, '--json']);
    expect([json.exit, json.err]).toEqual([1, '']);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ dispatch: made.ended, electron: 1 })]),
      ...counts,
    });
  });

  it('of records that cannot be read says so, without counts', async () => {
    truncateSync(records(), statSync(records()).size / 2);
    const json = await hub.polaron(['check', '--data', path, '--json']);
    expect([json.exit, json.err]).toEqual([1, '']);
    expect(JSON.parse(json.out)).toEqual({
      data: path,
      ok: false,
      problems: [{ problem: expect.stringContaining('cannot be read: its LMDB file has') }],
    });
  });
});

describe('polaron compact', () => {
  it('tells what it removed and how small the records are, and leaves a whole folder', async () => {
    const said = await hub.polaron(['compact', '--data', path]);
    expect([said.exit, said.err]).toEqual([0, '']);
    expect(said.out).toMatch(/^removed \d+ values? \(.+\); records: .+ before, .+ now\n$/);
    const json = await hub.json(['compact', '--data', path]);
    expect(json).toEqual({
      data: path,
      values: 0,
      bytes: 0,
      before: statSync(records()).size,
      after: statSync(records()).size,
    });
    expect((await hub.polaron(['check', '--data', path])).exit).toBe(0);
  });

  it('refuses a damaged folder with its code, and leaves it as it is', async () => {
    const size = statSync(records()).size / 2;
    truncateSync(records(), size);
    const said = await hub.polaron(['compact', '--data', path]);
    expect([said.exit, said.out]).toEqual([1, '']);
    expect(said.err).toMatch(/^polaron: DATA_DAMAGED: [^\n]*\n$/);
    expect(await hub.json(['compact', '--data', path])).toMatchObject({ error: { code: 'DATA_DAMAGED' } });
    expect(statSync(records()).size).toBe(size);
  });
});

it.each(['check', 'compact'])('polaron %s of what is no data folder is a mistake of use', async (command) => {
  const said = await hub.polaron([command, '--data', join(hub.home, 'none')]);
  expect([said.exit, said.out]).toEqual([2, '']);
  expect(said.err).toMatch(/^polaron: USAGE: .*none is not a data folder/);
});

describe('a folder in use', () => {
  beforeAll(() => hub.start());

  it.each(['check', 'compact'])(
    'is refused by polaron %s, which names the process, and the hub goes on',
    async (command) => {
      const said = await hub.polaron([command]);
      expect([said.exit, said.out]).toEqual([1, '']);
      expect(said.err).toMatch(/^polaron: DATA_IN_USE: /);
      expect(await hub.json([command])).toMatchObject({
        error: { code: 'DATA_IN_USE', message: expect.stringMatching(/in use by process \d+/) },
      });
      expect((await hub.polaron(['status'])).exit).toBe(0);
    },
  );
});

it('a start with --isolate results whose result manager cannot open the folder ends with its error, and leaves nothing behind', async () => {
  const other = new RealHub({ start: ['--isolate', 'results'] });
  try {
    truncateSync(records(), statSync(records()).size / 2);
    const asked = ['start', '--isolate', 'results', '--data', path];
    const said = await other.polaron(asked);
    expect([said.exit, said.out]).toEqual([1, '']);
    expect(said.err).toMatch(/^polaron: DATA_DAMAGED: data folder .* cannot be read: .* Restore a backup/m);
    expect(said.err).not.toContain('starting it again');
    const detached = await other.polaron([...asked, '--detach']);
    expect([detached.exit, detached.out]).toEqual([1, '']);
    expect(detached.err).toMatch(/^polaron: START_FAILED: the hub did not become ready: DATA_DAMAGED: /m);
    expect([other.pids('hub'), other.pids('local-agent')]).toEqual([[], []]);
    // The same home is not spoiled for a hub with a whole folder.
    await other.start();
    expect(await dispatchSync(doubled)(3)).toMatchObject({ status: 'completed' });
  } finally {
    await other.close();
  }
});
