/** Plots on two logarithmic axes: where a point lands, and what has no place. */
import { describe, expect, it } from 'vitest';
import { toSvg } from '../../bench/log-plot.ts';

const circles = (svg: string): number[][] =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe('a plot', () => {
  it('places each power of ten as far from the next as the others', () => {
    const points = [1, 10, 100, 1_000].map((x) => [x, x * 5] as const);
    const places = circles(toSvg([{ title: 't', x: 'x', lines: [{ name: 'y', points }] }]));
    const steps = places.slice(1).map(([x = 0, y = 0], i) => [x - (places[i]?.[0] ?? 0), y - (places[i]?.[1] ?? 0)]);
    expect(steps).toHaveLength(3);
    for (const [across = 0, up = 0] of steps) {
      expect(across).toBeCloseTo(steps[0]?.[0] ?? 0, 0);
      expect(up).toBeCloseTo(steps[0]?.[1] ?? 0, 0);
      expect(across).toBeGreaterThan(0);
      expect(up).toBeLessThan(0);
    }
  });

  it('leaves out what no logarithm has, and draws a panel without points', () => {
    const lines = [{ name: 'y', points: [[0, 1] as const, [10, 0] as const, [10, 7] as const] }];
    const svg = toSvg([
      { title: 'one', x: 'x', lines },
      { title: 'none', x: 'x', lines: [{ name: 'y', points: [] }] },
    ]);
    expect(circles(svg)).toHaveLength(1);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('writes words as text, whatever they hold', () => {
    const svg = toSvg([{ title: 'a < b & "c"', x: 'x', lines: [] }]);
    expect(svg).toContain('a &#60; b &#38; &#34;c&#34;');
  });
});
