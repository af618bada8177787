/** A data folder that may not be written, at the start or from one moment to the next: a clear error, or it heals; nothing is lost. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { findImmutable, makeImmutable, makeReadOnly } from '../support/immutable.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { throughGate } from './workflows/gates.ts';
import { doubledOnce } from './workflows/large.ts';

withRealPart('files that root may not write', findImmutable(), 'needs root, chattr and mount', () => {
  describe('a data folder without permission', () => {
    const hub = new RealHub();
    const data = join(hub.home, 'data');
    const log = (): string => readFileSync(join(hub.home, 'hub.log'), 'utf8');
    let folder: string;
    beforeAll(async () => {
      await hub.start();
      folder = mkdtempSync(join(hub.home, 'gates-'));
    });
    afterAll(() => hub.close());
    const notes = (): string => (existsSync(join(folder, 'notes')) ? readFileSync(join(folder, 'notes'), 'utf8') : '');

    it('blobs/ while the hub runs: large values are refused by name, the rest goes on, and it heals', async () => {
      const small = Uint8Array.from({ length: 50_000 }, (_, i) => i);
      let forbidden: (() => void) | undefined = makeReadOnly(join(data, 'blobs'));
      const allow = (): void => {
        forbidden?.();
        forbidden = undefined;
      };
      try {
        await expect(dispatch(doubledOnce)(new Uint8Array(300_000).fill(1))).rejects.toMatchObject({
          code: 'DATA_NOT_WRITABLE',
          message: expect.stringContaining('read-only'),
        });
        // Its argument is small, its result a file: the agent keeps it until the hub can take it.
        const id = await dispatch(doubledOnce)(small);
        await expect(getValue(id, { timeout: '2s' })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
        writeFileSync(join(folder, 'early.open'), '');
        expect(await getValue(await dispatch(throughGate)(folder, 'early'))).toBe(3);
        allow();
        expect((await getValue(id)).byteLength).toBe(100_000);
        expect((await (await getResult(id)).electrons.get('doubled')).attempts).toBe(1);
      } finally {
        allow();
      }
    });

    it('records/ while the hub runs: it ends and says why, starts no more, and goes on when it may', async () => {
      const id = await dispatch(throughGate)(folder, 'late');
      await until(() => notes().includes('begin late'), 'an electron runs', 20_000);
      const { pid } = hub.file();
      const allow = makeImmutable(join(data, 'records', 'data.mdb'));
      try {
        writeFileSync(join(folder, 'late.open'), '');
        await until(() => !hub.pids('hub').includes(pid), 'the hub ends', 40_000);
        // lmdb-js writes the reason itself, past the end of its buffer, and now and then the process doesn't outlive it long enough to say more
        expect(log()).toMatch(/DATA_NOT_WRITABLE|cannot be written|Write error: Operation not permitted/);
        const refused = await hub.polaron(['start', '--detach', ...hub.options]);
        expect([refused.exit === 0, refused.err]).toEqual([false, expect.stringMatching(/DATA_NOT_WRITABLE/)]);
      } finally {
        allow();
      }
      await hub.start();
      expect(await getValue(id)).toBe(3);
      expect(notes().match(/begin late/g)).toHaveLength(1);
    }, 120_000);

    it.each(['blobs', 'records', 'journal'])('%s/ at the start: it is refused by name', async (part) => {
      await hub.stop();
      const allow = makeReadOnly(join(data, part));
      try {
        const { exit, err } = await hub.polaron(['start', '--detach', ...hub.options]);
        expect([exit === 0, err]).toEqual([false, expect.stringMatching(/DATA_NOT_WRITABLE.*read-only/)]);
      } finally {
        allow();
      }
      await hub.start();
    });
  });
});
