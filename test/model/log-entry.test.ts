/** Entries of `context().log`: what user code may pass, how it is kept and shown, and where a growing text goes on. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entriesOf, entryText, HEAD_CHARS, streamFrom, TAIL_CHARS } from '../../model/log-entry.ts';
import { logLine } from '../../model/log-line.ts';
import { BoundedText } from '../../executors/runner/log-buffer.ts';

const kept = (message: unknown, fields?: unknown) => entriesOf(logLine(5, message, fields));

describe('an entry', () => {
  it('keeps its message and its fields', () => {
    const fields = { epoch: 3, loss: 0.25, tags: ['a'], nested: { deep: null }, when: new Date(0) };
    expect(kept('epoch done', fields)).toEqual([
      { at: 5, message: 'epoch done', fields: { ...fields, when: '1970-01-01T00:00:00.000Z' } },
    ]);
    expect(kept('line\nbreak')).toEqual([{ at: 5, message: 'line\nbreak' }]);
  });

  it('takes anything, and says what JSON can’t', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const [odd] = kept('odd', {
      big: 2n,
      nan: Number.NaN,
      map: new Map([['a', 1]]),
      error: new TypeError('x'),
      f: Math.max,
      bytes: new Uint8Array(9),
    });
    expect(odd?.fields).toEqual({
      big: '2n',
      nan: 'NaN',
      map: { a: 1 },
      error: { name: 'TypeError', message: 'x' },
      f: 'function max() { [native code] }',
      bytes: 'Uint8Array of 9 bytes',
    });
    expect(Object.keys(kept('cycle', cycle)[0]?.fields ?? {})).toEqual(['unreadable']);
    expect(kept('array', [1, 2])[0]?.fields).toEqual({ value: [1, 2] });
    expect(kept(Symbol('x'), 7)).toEqual([{ at: 5, message: 'Symbol(x)', fields: { value: 7 } }]);
    expect(kept(Object.create(null))[0]?.message).toBe('something that has no text');
  });

  it('is bounded', () => {
    const [long] = kept('m'.repeat(1e6), { x: 'y'.repeat(1e6) });
    expect(logLine(5, 'm'.repeat(1e6), { x: 'y'.repeat(1e6) }).length).toBeLessThan(20 * 1024);
    expect(long?.message).toMatch(/^m+… \d+ characters left out$/);
    expect(long?.fields?.['cut']).toMatch(/^\{"x":"y+… \d+ characters left out$/);
  });

  it('is shown as a line', () => {
    expect(entryText({ message: 'done', fields: { epoch: 3, name: 'plain', note: 'two words', o: { a: 1 } } })).toBe(
      'done  epoch=3 name=plain note="two words" o={"a":1}',
    );
  });
});

describe('a kept stream', () => {
  it('goes on where it was left, over what was left out, too', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 12 }), (sizes) => {
        const text = new BoundedText();
        let all = '';
        let from = 0;
        for (const [i, size] of sizes.entries()) {
          const piece = String.fromCharCode(97 + i).repeat(size);
          text.add(piece);
          all += piece;
          const next = streamFrom(text.toString(), from);
          expect(next.end).toBe(all.length);
          const left = /\n… (\d+) characters left out …\n/.exec(next.text);
          const [before = '', after = ''] = left === null ? ['', next.text] : next.text.split(left[0]);
          expect(before).toBe(all.slice(from, from + before.length));
          expect(after).toBe(after === '' ? '' : all.slice(-after.length));
          expect(before.length + Number(left?.[1] ?? 0) + after.length).toBe(all.length - from);
          from = next.end;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of entries says what was left out, and drops the line that was cut', () => {
    const text = new BoundedText();
    const count = Math.ceil((2 * (HEAD_CHARS + TAIL_CHARS)) / logLine(0, 'entry 0000', undefined).length);
    for (let i = 0; i < count; i++) text.add(logLine(i, `entry ${String(i).padStart(4, '0')}`, undefined));
    const entries = entriesOf(text.toString());
    expect(entries[0]?.message).toBe('entry 0000');
    expect(entries.at(-1)?.message).toBe(`entry ${count - 1}`);
    expect(entries.filter(({ message }) => message.includes('left out'))).toHaveLength(1);
    expect(entries.length).toBeLessThan(count);
  });
});
