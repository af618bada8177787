import { describe, expect, it } from 'vitest';
import { keepRunning } from '../../host/recovery.ts';
import { PolaronError } from '../../model/errors.ts';
import { FakeClock } from '../actors/support/fake-clock.ts';

/** How often a hub begins that fails so each time, while the clock goes on for a minute; and whether it gave up. */
async function begins(error: Error): Promise<{ readonly times: number; readonly gaveUp: boolean }> {
  const clock = new FakeClock();
  let times = 0;
  let gaveUp = false;
  const stop = await keepRunning({
    begin: async (onFatal) => {
      times++;
      onFatal(error);
    },
    drop: async () => undefined,
    outOfRoom: () => false,
    giveUp: () => {
      gaveUp = true;
    },
    clock,
    log: () => undefined,
  }).catch(() => () => undefined);
  await clock.advance(60_000);
  stop();
  return { times, gaveUp };
}

describe('a hub that fails again and again', () => {
  it('is given up, unless it is for want of room: that is waited for', async () => {
    expect(await begins(new PolaronError('STORE_FAILED', 'an error'))).toEqual({ times: 6, gaveUp: true });
    const cause = new PolaronError('DISK_FULL', '10 bytes are free, and 20 may be needed');
    const { times, gaveUp } = await begins(new PolaronError('STORE_FAILED', 'the store failed', { cause }));
    expect(gaveUp).toBe(false);
    expect(times).toBeGreaterThan(10);
  });
});
