/** The data folder's disk fills up while dispatches run: what is committed stays readable, and all goes on when there is room again. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { notedChain, throughGate } from './workflows/gates.ts';

/** A small disk of our own; undefined where we may not mount one. */
function mountSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

/** Writes until there is no byte left. */
function fill(file: string): void {
  const fd = openSync(file, 'w');
  for (let size = 1024 * 1024; size >= 1; ) {
    try {
      writeSync(fd, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 16);
    }
  }
  closeSync(fd);
}

withRealPart('a small disk', mountSmallDisk(), 'mounting a tmpfs needs root', (disk) => {
  describe('a full disk', () => {
    const hub = new RealHub({ start: ['--data', join(disk, 'data'), '--slots', '3'] });
    const ballast = join(disk, 'ballast');
    const gates = join(hub.home, 'gates');
    const open = (name: string): void => writeFileSync(join(gates, `${name}.open`), '');
    const notes = (): string => (existsSync(join(gates, 'notes')) ? readFileSync(join(gates, 'notes'), 'utf8') : '');

    const failures = (): number =>
      readFileSync(join(hub.home, 'hub.log'), 'utf8').split('recovering from disk').length - 1;

    beforeAll(async () => {
      mkdirSync(gates);
      await hub.start();
    });
    afterAll(async () => {
      console.log(
        readFileSync(join(hub.home, 'hub.log'), 'utf8'),
        readFileSync(join(disk, 'data', 'agent.log'), 'utf8'),
      );
      await hub.close();
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    });

    it('is recovered from: nothing that was accepted is lost', { timeout: 120_000 }, async () => {
      const pid = hub.pid('hub');
      open('before');
      const before = await dispatch(throughGate)(gates, 'before');
      expect(await getValue(before)).toBe(3);
      const running = await dispatch(throughGate)(gates, 'running');
      await until(() => notes().includes('begin running '), 'one runs', 20_000);

      const accepted = [await dispatch(notedChain)(gates, 'chain', 50)];
      await until(() => notes().includes('end chain.5\n'), 'the chain is under way', 20_000);
      fill(ballast);
      const refusals: unknown[] = [];
      for (let tries = 0; tries < 50 && refusals.length === 0; tries++) {
        await dispatch(notedChain)(gates, `chain${tries}`, 3).then(
          (id) => accepted.push(id),
          (error: unknown) => refusals.push(error),
        );
      }
      expect(refusals).toMatchObject([{ code: 'DISK_FULL' }]);
      open('running');
      await until(() => notes().includes('end running'), 'it ended while nothing could be stored', 20_000);

      await until(() => failures() > 1, 'the store failed, was recovered, and failed again', 30_000);
      // What was committed before can be read while the disk is full.
      expect(await getResult(before)).toMatchObject({ status: 'completed', value: 3 });

      await until(() => failures() > 6, 'it goes on trying for as long as it takes', 60_000);
      rmSync(ballast);
      expect(await getValue(running)).toBe(3);
      for (const id of accepted) expect((await getResult(id, { wait: true })).status).toBe('completed');
      await until(() => notes().includes('end chain.49'), 'the chain ended');
      open('after');
      expect(await getValue(await dispatch(throughGate)(gates, 'after'))).toBe(3);
      expect(await getValue(before)).toBe(3);
      expect(hub.pid('hub')).toBe(pid);
    });
  });
});
