/** When a job may be handed to a lane that is at work. Pure. */
import { describe, expect, it } from 'vitest';
import { AHEAD_WORK_MS, NEAR_MS, STALL_MS, startsIn, type Load } from '../../../executors/process/hand-over.ts';

const NOW = 10_000;
const load = (usualMs: number | undefined, ageMs: number, waiting = 0, expectedMs = usualMs ?? 0): Load => ({
  jobs: [NOW - ageMs, ...Array.from({ length: waiting }, () => 0)].map((since) => ({
    since,
    typical: { ms: usualMs },
  })),
  expectedMs,
});

describe('a lane at work', () => {
  it('takes short jobs up to some milliseconds of work', () => {
    expect(startsIn(load(0.5, 0), 0.5, NOW, false)).toBe(0.5);
    expect(startsIn(load(0.5, 0, 7, 4), 0.5, NOW, false)).toBe(4);
    expect(startsIn(load(0.5, 0, 9, AHEAD_WORK_MS), 0.5, NOW, true)).toBeUndefined();
    expect(startsIn(load(0.5, 0), undefined, NOW, false)).toBeUndefined();
  });

  it('takes no short one when its job has run for long already', () => {
    expect(startsIn(load(0.5, STALL_MS), 0.5, NOW, false)).toBe(0.5);
    expect(startsIn(load(0.5, STALL_MS + 1), 0.5, NOW, false)).toBeUndefined();
  });

  it.each([undefined, 0.5, 100, 3_600_000])('takes one job of %s ms when its own is about to end', (ms) => {
    const usual = 1_000;
    expect(startsIn(load(usual, usual - NEAR_MS - 1), ms, NOW, true)).toBeUndefined();
    expect(startsIn(load(usual, usual - NEAR_MS), ms, NOW, true)).toBe(NEAR_MS);
    expect(startsIn(load(usual, usual + NEAR_MS), ms, NOW, true)).toBe(0);
    expect(startsIn(load(usual, usual, 1), ms, NOW, true)).toBeUndefined();
  });

  it('takes none when it is later than it can explain, when nobody knows how long its job takes, or a slot is free', () => {
    expect(startsIn(load(1_000, 1_000 + NEAR_MS + 1), 100, NOW, true)).toBeUndefined();
    expect(startsIn(load(undefined, 10), 100, NOW, true)).toBeUndefined();
    expect(startsIn(load(1_000, 1_000), 100, NOW, false)).toBeUndefined();
  });
});
