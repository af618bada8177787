/** So much at a time, in order, and at a cost that grows with their number. */
import { describe, expect, it } from 'vitest';
import { Turnstile } from '../../model/turnstile.ts';
import { settle } from '../actors/support/fake-clock.ts';

describe('turns at a turnstile', () => {
  it('are so many at once, in the order of the calls; one that fails gives its place on', async () => {
    const turns = new Turnstile(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const taken = [0, 1, 2, 3, 4].map((n) =>
      turns.run(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (n === 1) throw new Error('one');
        return n;
      }),
    );
    await settle(5);
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await expect(taken[1]).rejects.toThrow('one');
    await settle(5);
    expect(begun).toEqual([0, 1, 2]);
    for (const n of [0, 2, 3, 4]) {
      ends[n]?.();
      await settle(5);
    }
    expect(await Promise.all([taken[0], taken[2], taken[3], taken[4]])).toEqual([0, 2, 3, 4]);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  it('of a hundred thousand cost no more each than those of some', async () => {
    const turns = new Turnstile(10);
    let done = 0;
    const before = process.cpuUsage();
    await Promise.all(Array.from({ length: 100_000 }, () => turns.run(async () => void done++)));
    const { user, system } = process.cpuUsage(before);
    expect(done).toBe(100_000);
    expect((user + system) / 1_000).toBeLessThan(3_000);
  });
});
