/** W1–W3 of assign-window.ts. */
import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssignWindow, WINDOW } from '../../../executors/agent/assign-window.ts';

describe('the window of assign numbers', () => {
  it('carries each number out once and knows below which none is missing', () => {
    const window = new AssignWindow();
    expect([1, 2, 4].map((n) => window.meet(n).type)).toEqual(['fresh', 'fresh', 'fresh']);
    expect(window.seen).toBe(2);
    expect(window.meet(3).type).toBe('fresh');
    expect(window.seen).toBe(4);
    expect([1, 2, 3, 4].map((n) => window.meet(n).type)).toEqual(['repeat', 'repeat', 'repeat', 'repeat']);
  });

  it('refuses what lies below it, and what is absurdly far ahead', () => {
    const window = new AssignWindow();
    for (let n = 1; n <= 3 * WINDOW; n++) if (n !== 5) window.meet(n);
    expect(window.seen).toBe(4);
    expect(window.meet(5).type).toBe('outside');
    expect(window.seen).toBe(3 * WINDOW);
    expect(window.meet(2 * WINDOW).type).toBe('outside');
    expect(window.meet(2 * WINDOW + 1).type).toBe('repeat');
    expect(window.meet(5 * WINDOW).type).toBe('outside');
    expect(window.meet(0).type).toBe('outside');
  });

  it('gives a repeat the refusals of the first time', () => {
    const window = new AssignWindow();
    window.meet(1);
    const refused = [{ task: 'x_1', reason: 'busy' }] as const;
    window.refuse(1, refused);
    expect(window.meet(1)).toEqual({ type: 'repeat', refused });
  });

  it('is fresh once per number and honest about `seen`, in any order', () => {
    assert(
      property(array(integer({ min: 1, max: 60 }), { maxLength: 200 }), (numbers) => {
        const window = new AssignWindow();
        const met = new Set<number>();
        for (const n of numbers) {
          expect(window.meet(n).type).toBe(met.has(n) ? 'repeat' : 'fresh');
          met.add(n);
          let seen = 0;
          while (met.has(seen + 1)) seen++;
          expect(window.seen).toBe(seen);
        }
      }),
    );
  });
});
