/** Source maps that lose the SDK's lines and keep the author's. */
import { SourceMap } from 'node:module';
import { expect, test } from 'vitest';
import { coarsened } from '../../sdk/ship/mappings.ts';

// generated column → source, line, column; two sources by turns, and steps back
const segments = [
  [0, 0, 0, 0],
  [5, 0, 3, 2],
  [9, 0, 900, 70_000],
  [12, 1, 4, 4],
  [15, 1, 2, 40],
  [20, 0, 1, 1],
  [25, 0, 7, 9],
  [31, 1, 6, 3],
] as const;

const text = (mappings: string) => ({
  version: 3,
  file: 'b.js',
  sources: ['ours', 'mine'],
  sourcesContent: [],
  names: [],
  mappings,
  sourceRoot: '',
});
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const vlq = (value: number): string => {
  let [rest, out] = [value < 0 ? -value * 2 + 1 : value * 2, ''];
  do {
    out += DIGITS.charAt((rest % 32) + (rest > 31 ? 32 : 0));
    rest = Math.floor(rest / 32);
  } while (rest > 0);
  return out;
};
let last: readonly number[] = [0, 0, 0, 0];
const mappings = segments
  .map((segment) => {
    const fields = segment.map((field, i) => vlq(field - (last[i] ?? 0))).join('');
    last = segment;
    return fields;
  })
  .join(',');

const placeAt = (map: string, column: number): unknown => {
  const entry = new SourceMap(text(map)).findEntry(0, column);
  return 'originalSource' in entry ? [entry.originalSource, entry.originalLine, entry.originalColumn] : undefined;
};

test('a source that is not coarse keeps every position, and a coarse one the beginning of each of its stretches', () => {
  const coarse = coarsened(mappings, [true, false]);
  expect(coarse.split(',')).toHaveLength(5);
  for (const [column, source, line, at] of segments) {
    if (source === 1) expect(placeAt(coarse, column)).toEqual(['mine', line, at]);
  }
  expect([0, 5, 9, 20, 25].map((column) => placeAt(coarse, column))).toEqual([
    ['ours', 0, 0],
    ['ours', 0, 0],
    ['ours', 0, 0],
    ['ours', 1, 1],
    ['ours', 1, 1],
  ]);
});

test('with nothing coarse the text is what it was, on every line of it', () => {
  const lines = `;;${mappings};AAAA;E;;`;
  expect(coarsened(lines, [false, false])).toBe(lines);
});
