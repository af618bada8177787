/** A growth run that was cut short: what it has is shown, and what it hasn't is said. */
import { describe, expect, it } from 'vitest';
import { leftOf, type Row } from '../../bench/growth-report.ts';
import { growthText } from '../../bench/performance-page.ts';

const none: readonly Row[] = [];
const rows = { electrons: [{ electrons: 100, usPerElectron: 7 }], dispatches: none, agents: none, payload: none };

describe('a growth run', () => {
  it('knows which sizes it has not come to', () => {
    const wanted = (): readonly number[] => [100, 1_000];
    const done = [{ records: 100 }, { records: 1_000 }];
    expect(leftOf({ ...rows, dispatches: done, agents: done, payload: done, records: done }, wanted)).toEqual([
      'electrons 1,000',
    ]);
  });

  it('says on the page that it was cut short, beside what it has', () => {
    const about = { at: '2026-11-26T12:00:00Z', machine: {}, versions: { polaron: '1', commit: 'c' }, bus: 'embedded' };
    const whole = { ...about, ...rows, records: none };
    expect(growthText({ ...whole, left: ['records 10,000,000'] })).toContain(
      'The run was cut short; it has not measured: records 10,000,000.',
    );
    expect(growthText(whole)).not.toContain('cut short');
    expect(growthText(whole)).toMatch(/\| 100 +\| 7 +\|/);
  });
});
