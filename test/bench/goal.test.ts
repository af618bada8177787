/** A goal is met by a figure within its limit, and by nothing else. */
import { describe, expect, it } from 'vitest';
import { judge, verdictText } from '../../bench/goal.ts';

const most = { what: 'ms', limit: { atMost: 5 } };
const least = { what: 'rate', limit: { atLeast: 5 } };

describe('a goal', () => {
  it.each([
    [most, 5, true],
    [most, 5.001, false],
    [least, 5, true],
    [least, 4.999, false],
  ])('%o: %d', (goal, got, met) => {
    expect(judge(goal, got).met).toBe(met);
  });

  it('is not met by what was not measured, or is no number', () => {
    for (const got of [undefined, Number.NaN, Infinity, -Infinity]) {
      for (const goal of [most, least]) expect(judge(goal, got)).toMatchObject({ got: null, met: null });
    }
    expect(verdictText(judge(most, undefined))).toContain('not measured');
    expect(verdictText(judge(most, 6))).toContain('MISSED');
  });
});
