/** Purge, backup and restore with real hubs, as docs/operations.md tells them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { throughGate } from './workflows/gates.ts';
import { digestOf, large, noise } from './workflows/kinds.ts';
import { doubled } from './workflows/maps.ts';

const hub = new RealHub();
const SIZE = 400_000;
beforeAll(() => hub.start());
afterAll(() => hub.close());

const blobs = (): number =>
  readdirSync(join(hub.file().data, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;

describe('polaron purge', () => {
  it('tells what it would remove, removes it, and gives the space back; what runs stays', async () => {
    const folder = mkdtempSync(join(hub.home, 'gates-'));
    const running = await dispatch(throughGate)(folder, 'gate');
    const small = await dispatch(doubled)(20);
    const big = await dispatch(large)(noise(SIZE, 1), SIZE);
    await Promise.all([getValue(small), getValue(big)]);
    expect(await hub.json(['purge', '--older-than', '30d'])).toMatchObject({ dispatches: 0 });
    const would = await hub.json(['purge', '--older-than', '0s', '--dry-run', '--status', 'completed,failed']);
    expect(would).toMatchObject({ dispatches: 2, values: 0, dryRun: true });
    expect(await getResult(small)).toMatchObject({ status: 'completed' });
    const before = blobs();
    expect(await hub.json(['purge', '--older-than', '0s'])).toMatchObject({ dispatches: 2, dryRun: false });
    for (const id of [small, big]) {
      expect(await hub.polaron(['show', id])).toMatchObject({ exit: 2 });
      expect((await hub.polaron(['result', id])).err).toContain('UNKNOWN_DISPATCH');
    }
    // files were stored a moment ago: they are pinned
    expect(blobs()).toBe(before);
    writeFileSync(join(folder, 'gate.open'), '');
    await getValue(running);
    expect(await hub.polaron(['purge', '--older-than', '30'])).toMatchObject({ exit: 2 });
    expect((await hub.polaron(['purge', '--older-than', '1d', '--status', 'running'])).err).toContain('USAGE');
  });
});

describe('polaron backup', () => {
  it('copies a hub at work; started on the copy, another hub has what had ended, and runs again what had not', async () => {
    const folder = mkdtempSync(join(hub.home, 'gates-'));
    const value = await dispatch(large)(noise(SIZE, 5), SIZE);
    const joined = digestOf((await getValue(value)).joined);
    const open = await dispatch(throughGate)(folder, 'held');
    await until(() => existsSync(join(folder, 'notes')), 'it runs', 20_000);
    const copy = join(hub.home, 'backups', 'monday');
    expect(await hub.json(['backup', copy])).toMatchObject({ folder: copy });
    expect(readdirSync(copy).sort()).toEqual(['blobs', 'hub-identity.json', 'records', 'restored-from-backup']);
    const again = await hub.polaron(['backup', copy]);
    expect([again.exit, again.err]).toEqual([2, expect.stringContaining('not empty')]);
    const after = await dispatch(doubled)(3);
    await getValue(after);
    await hub.stop();

    const restored = new RealHub({ start: ['--data', copy] });
    try {
      await restored.start();
      expect(readdirSync(copy)).not.toContain('restored-from-backup');
      expect(digestOf((await getValue(value)).joined)).toBe(joined);
      expect(await restored.polaron(['show', after])).toMatchObject({ exit: 2 });
      await until(
        () => readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n').length === 2,
        'it runs again',
        30_000,
      );
      writeFileSync(join(folder, 'held.open'), '');
      await getValue(open);
    } finally {
      await restored.close();
    }
  });
});
