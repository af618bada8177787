/** Two rounds of chaos of a kind: a broker that dies again and again, and a disk that is full now and then while parts die. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { anyServer } from '../support/nats-server.ts';
import { withRealPart } from '../support/real-part.ts';
import { fill, MIB, mountSmallDisk, unmountSmallDisk } from '../support/small-disk.ts';
import type { Blow } from './chaos/account.ts';
import { runRound } from './chaos/round.ts';
import { Tally } from './chaos/tally.ts';

const seed = Date.now() % 1_000_000;
/** Of a user: the storm ends long before. */
const leases = { leaseMs: 15_000, heartbeatMs: 2_000 };
const isolate = process.env['POLARON_TEST_ISOLATE'] === '1';

withRealPart('nats-server', anyServer, 'no nats-server was found', () => {
  it('a broker that is killed twenty times in a row costs nothing, not even a repeat', {
    timeout: 180_000,
  }, async () => {
    const round = await runRound({
      seed,
      strikes: 20,
      roles: ['broker'],
      bus: 'nats-server',
      isolate,
      quick: true,
      leases,
    });
    console.log(`seed ${seed}: ${Tally.line(round)}`);
    expect(round.verdict.violations).toEqual([]);
    expect(round.account.dispatched.length).toBeGreaterThan(0);
    expect(round.verdict.repeats).toMatchObject({ agent: 0, runner: 0, silence: 0, unrecorded: 0 });
  });
});

withRealPart('a small disk', mountSmallDisk(), 'mounting a tmpfs needs root', (disk) => {
  describe('a disk that is full now and then', () => {
    afterAll(() => unmountSmallDisk(disk));
    const ballast = join(disk, 'ballast');

    /** Fills it nearly or quite, waits, makes room. To the hub it is as if it were killed: it drops its memory and begins again from disk. */
    async function fillAgainAndAgain(over: AbortSignal): Promise<readonly Blow[]> {
      const blows: Blow[] = [];
      while (!over.aborted) {
        const at = Date.now();
        fill(ballast, blows.length % 2 === 0 ? 0 : 4 * MIB);
        await sleep(2_500);
        rmSync(ballast);
        blows.push({ role: 'hub', how: 'kill', pid: 0, at, until: Date.now(), running: 0 });
        await sleep(2_500);
      }
      return blows;
    }

    it('refuses what is new and loses nothing that it took, though hub and runners are killed meanwhile', {
      timeout: 240_000,
    }, async () => {
      const data = join(disk, 'data');
      const roles = ['hub', 'runner', 'runner'] as const;
      const round = await runRound({
        seed,
        strikes: 10,
        roles,
        bus: 'embedded',
        isolate,
        data,
        meanwhile: fillAgainAndAgain,
      });
      console.log(`seed ${seed}: ${Tally.line(round)}`);
      expect(round.verdict.violations).toEqual([]);
      expect(round.account.dispatched.length).toBeGreaterThan(0);
      expect(round.refused).toContain('DISK_FULL');
      expect(round.refused.filter((code) => !['DISK_FULL', 'NO_HUB', 'STORE_FAILED'].includes(code))).toEqual([]);
    });
  });
});
