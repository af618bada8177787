import { expect, it } from 'vitest';
import { Recent } from '../../model/recent.ts';

it('keeps at least the last so many, and never more than twice as many', () => {
  const recent = new Recent<number, number>(100);
  for (let n = 0; n < 1_050; n++) {
    recent.set(n, -n);
    for (const kept of [n, n - 99]) if (kept >= 0) expect(recent.get(kept)).toBe(-kept);
    expect(recent.has(n - 200)).toBe(false);
  }
  expect(recent.get(5_000)).toBeUndefined();
});

it('takes a moment for each, however many there were', () => {
  const time = (most: number): number => {
    const recent = new Recent<number, number>(most);
    const began = process.cpuUsage().user;
    for (let n = 0; n < 300_000; n++) recent.set(n, n);
    return process.cpuUsage().user - began;
  };
  time(1_000);
  expect(time(50_000)).toBeLessThan(20 * time(1_000) + 50_000);
});
