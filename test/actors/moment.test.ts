/** What is told only when it lasts. When an attempt is: lattice/moment.test.ts. */
import { beforeEach, describe, expect, it } from 'vitest';
import { makeMoment } from '../../actors/moment.ts';
import type { Lingering, Moment } from '../../actors/services.ts';
import { FakeClock } from './support/fake-clock.ts';

describe('a moment', () => {
  let clock: FakeClock;
  let moment: Moment;
  let told: string[];
  const one = (name: string): Lingering => ({ tell: () => told.push(name) });
  beforeEach(() => {
    clock = new FakeClock();
    moment = makeMoment(clock);
    told = [];
  });

  it('is over after 100 to 200 ms, for each that waited so long and for no other', async () => {
    moment.wait(one('a'));
    await clock.advance(90);
    moment.wait(one('b'));
    await clock.advance(20);
    moment.wait(one('c'));
    expect(told).toEqual([]);
    await clock.advance(90);
    expect(told).toEqual(['a', 'b']);
    await clock.advance(100);
    expect(told).toEqual(['a', 'b', 'c']);
    expect(clock.waiting).toBe(0);
  });

  it('says nothing of what was forgotten meanwhile', async () => {
    const [a, b] = [one('a'), one('b')];
    moment.wait(a);
    await clock.advance(100);
    moment.wait(b);
    moment.forget(a);
    moment.forget(b);
    await clock.advance(1_000);
    expect(told).toEqual([]);
  });

  it('ends at once for all when that is asked for, and goes on', async () => {
    moment.wait(one('a'));
    await clock.advance(100);
    moment.wait(one('b'));
    moment.end();
    expect(told).toEqual(['a', 'b']);
    moment.wait(one('c'));
    await clock.advance(300);
    expect(told).toEqual(['a', 'b', 'c']);
  });

  it('holds no more than ten thousand: others are told at once', () => {
    for (let n = 0; n < 10_002; n++) moment.wait(one(String(n)));
    expect(told).toEqual(['10000', '10001']);
  });
});
