/** Bounded output: head and tail stay, the cut is marked. Pure. */
import { describe, expect, it } from 'vitest';
import { BoundedText, LogBuffer } from '../../../executors/runner/log-buffer.ts';
import { HEAD_CHARS, streamFrom, TAIL_CHARS } from '../../../model/log-entry.ts';

describe('captured output', () => {
  it('is kept whole up to head and tail', () => {
    const text = new BoundedText();
    const all = 'x'.repeat(HEAD_CHARS) + 'y'.repeat(TAIL_CHARS);
    for (let at = 0; at < all.length; at += 1000) text.add(all.slice(at, at + 1000));
    expect(text.toString()).toBe(all);
  });

  it('loses its middle beyond, and says how much', () => {
    const text = new BoundedText();
    text.add('a'.repeat(HEAD_CHARS));
    for (let i = 0; i < 100; i++) text.add('b'.repeat(10_000));
    text.add('c'.repeat(TAIL_CHARS));
    expect(text.toString()).toBe(
      `${'a'.repeat(HEAD_CHARS)}\n… 1000000 characters left out …\n${'c'.repeat(TAIL_CHARS)}`,
    );
    expect(text.toString()).toContain('1000000');
  });

  it('of which a part was never told has a mark there, and can be followed all the same', () => {
    const text = new BoundedText();
    text.add('a'.repeat(100));
    let { end } = streamFrom(text.toString(), 0);
    const more = (): string => {
      const next = streamFrom(text.toString(), end);
      end = next.end;
      return next.text;
    };
    text.add('b'.repeat(TAIL_CHARS), 5_000);
    expect(more()).toBe(`\n… 5000 characters left out …\n${'b'.repeat(TAIL_CHARS)}`);
    for (let i = 0; i < 10; i++) {
      text.add('c'.repeat(10_000));
      expect(more()).toBe('c'.repeat(10_000));
    }
    text.add(`${'c'.repeat(1_000)}d`, -1_000);
    expect(more()).toBe('d');
  });

  it('of an attempt that printed nothing is absent', () => {
    expect(new LogBuffer().logs()).toBeUndefined();
  });
});
