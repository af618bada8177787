/** The data folder's disk fills up while dispatches run: what is committed stays readable, and all goes on when there is room again. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { fill, MIB, mountSmallDisk, unmountSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { heavyChain, notedChain, throughGate } from './workflows/gates.ts';

withRealPart('a small disk', mountSmallDisk(), 'mounting a tmpfs needs root', (disk) => {
  describe('a full disk', () => {
    const hub = new RealHub({ start: ['--data', join(disk, 'data'), '--slots', '3'] });
    const ballast = join(disk, 'ballast');
    const spare = join(disk, 'data', 'spare-room');
    const gates = join(hub.home, 'gates');
    const open = (name: string): void => writeFileSync(join(gates, `${name}.open`), '');
    const notes = (): string => (existsSync(join(gates, 'notes')) ? readFileSync(join(gates, 'notes'), 'utf8') : '');

    /** Of the store, in the hub's process or in its own. */
    const failures = (): number =>
      readFileSync(join(hub.home, 'hub.log'), 'utf8').match(/recovering from disk|result manager's process died/g)
        ?.length ?? 0;

    beforeAll(async () => {
      mkdirSync(gates);
      await hub.start();
    });
    afterAll(async () => {
      await hub.close();
      unmountSmallDisk(disk);
    });

    it('is recovered from, nothing that was accepted is lost, and what is committed stays readable', {
      timeout: 120_000,
    }, async () => {
      const [pid, agent] = [hub.pid('hub'), hub.pid('local-agent')];
      open('before');
      const before = await dispatch(throughGate)(gates, 'before');
      expect(await getValue(before)).toBe(3);
      const running = await dispatch(throughGate)(gates, 'running');
      await until(() => notes().includes('begin running '), 'one runs', 20_000);
      const heavy = await dispatch(heavyChain)(gates, 'heavy', 200);
      await until(() => notes().includes('begin heavy '), 'another, too', 20_000);
      await until(() => existsSync(spare), 'the hub keeps spare room');

      // Others fill the disk: nothing new is accepted, and the hub gives back what it kept, to go on a little.
      fill(ballast, 4 * MIB);
      const accepted: string[] = [];
      const refusals: unknown[] = [];
      while (refusals.length === 0) {
        await dispatch(notedChain)(gates, `chain${accepted.length}`, 3).then(
          (id) => accepted.push(id),
          (error: unknown) => refusals.push(error),
        );
      }
      expect(refusals).toMatchObject([{ code: 'DISK_FULL' }]);
      await until(() => !existsSync(spare), 'the spare room is given back', 20_000);
      for (const id of accepted) expect((await getResult(id, { wait: true })).status).toBe('completed');
      expect(failures()).toBe(0);
      expect(await getResult(before)).toMatchObject({ status: 'completed', value: 3 });

      // Then that is full as well, while electrons end.
      fill(ballast, 0);
      open('heavy');
      await until(() => failures() > 6, 'it tries for as long as it takes', 60_000);
      open('running');
      await until(() => notes().includes('end running'), 'an electron ends meanwhile', 20_000);

      rmSync(ballast);
      expect(await getValue(running)).toBe(3);
      expect((await getValue(heavy)).byteLength).toBe(40_000);
      expect(await getValue(before)).toBe(3);
      await until(() => existsSync(spare), 'there is spare room again', 20_000);
      open('after');
      expect(await getValue(await dispatch(throughGate)(gates, 'after'))).toBe(3);
      expect([hub.pid('hub'), hub.pid('local-agent')]).toEqual([pid, agent]);
      expect(notes().match(/begin running /g)).toHaveLength(1);
      // LMDB itself never met the full disk (store/write-queue.ts, L5): that is what it would say.
      expect(readFileSync(join(hub.home, 'hub.log'), 'utf8')).not.toContain('Write error');
    });
  });
});
