/** Pictures of large graphs stay small: alike electrons are drawn once with their number, what is still too much is left out and counted, and Mermaid's own limits hold. */
import { describe, expect, test } from 'vitest';
import { after } from '../../../sdk/after.ts';
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import type { DrawFormat } from '../../../sdk/types.ts';
import { drawSeen, graphOf, random } from './samples.ts';
import { readSvg } from './svg-reader.ts';

const load = electron({ name: 'load' }, () => [1]);
const square = electron({ name: 'square' }, (x: number) => x);
const step = electron({ name: 'step' }, (x: number) => x);
const sum = electron({ name: 'sum' }, (xs: readonly number[]) => xs.length);

const fan = (wide: number) =>
  lattice({ name: 'fan' }, () => {
    const data = load();
    return sum(Array.from({ length: wide }, () => step(square(data.length))));
  });
const chain = lattice({ name: 'chain' }, (length: number) => {
  let last = step(0);
  for (let i = 1; i < length; i++) last = step(last);
  return sum([last]);
});
/** Every one is different, and each needs all of the row before: few nodes, many edges. */
const rows = (count: number, wide: number, more = '') =>
  lattice({ name: 'rows' }, () => {
    let row: unknown[] = [];
    for (let at = 0; at < count; at++)
      row = Array.from({ length: wide }, (_, i) =>
        electron(
          { name: `e${at}_${i}${more}`, executor: more === '' ? 'process' : more },
          (...of: unknown[]) => of,
        )(...row),
      );
    return row;
  });

const titles = (svg: string): string[] => readSvg(svg).nodes.map(({ title }) => title);
/** Per format: how many nodes and edges a picture has. */
function sizeOf(format: DrawFormat, text: string): { nodes: number; edges: number } {
  if (format === 'svg') {
    const { nodes, lines } = readSvg(text);
    return { nodes: nodes.length, edges: lines.length };
  }
  const count = (line: RegExp) => text.split('\n').filter((one) => line.test(one)).length;
  return format === 'dot'
    ? { nodes: count(/^ +\w+ \[label=/), edges: count(/ -> /) }
    : { nodes: count(/^ +\w+(\[|\(|>|@)/), edges: count(/ (-->|-\.->)/) };
}
describe('alike siblings', () => {
  test('are drawn one by one when they are few', () => {
    expect(titles(fan(12).draw('svg'))).toHaveLength(1 + 12 + 12 + 2);
  });
  test('are one pile when they are many, and so are their children', () => {
    expect(titles(fan(13).draw('svg'))).toEqual(['load', 'square × 13', 'step × 13', 'sum', 'result']);
    expect(titles(fan(10_000).draw('svg'))).toEqual(['load', 'square × 10,000', 'step × 10,000', 'sum', 'result']);
  });
  test('have their statuses as counts', () => {
    const graph = graphOf(fan(20));
    const electrons = graph.nodes.map((_, id) => ({
      id,
      status: id === 4 ? ('failed' as const) : ('completed' as const),
    }));
    expect(drawSeen('mermaid', graph, electrons)).toContain('"step × 20<br/>19 completed, 1 failed"');
  });
  test('are no siblings when their parents differ', () => {
    const two = lattice({ name: 'two' }, () => {
      const [a, b] = [load(), square(1)];
      return [...Array.from({ length: 13 }, () => step(a.length)), ...Array.from({ length: 13 }, () => step(b))];
    });
    expect(titles(two.draw('svg'))).toEqual(['load', 'square', 'step × 13', 'step × 13', 'result']);
  });
  test('inside a map are one pile too', () => {
    const inside = lattice({ name: 'inside' }, () =>
      load().map((x) => sum(Array.from({ length: 50 }, () => square(x)))),
    );
    expect(titles(inside.draw('svg'))).toEqual(['load', 'sum × n, map', 'square × n', 'sum × n', 'result']);
  });
  test('that wait without data are none of those that take it', () => {
    const order = lattice({ name: 'order' }, () => {
      const data = load();
      const takes = Array.from({ length: 13 }, () => square(data.length));
      return [...takes, ...after(data, () => Array.from({ length: 13 }, () => square(1)))];
    });
    expect(titles(order.draw('svg'))).toEqual(['load', 'square × 13', 'square × 13', 'result']);
  });
});

test('the alike steps of a chain are one box when it is too long, and not before', () => {
  expect(titles(chain.draw('svg', 40))).toHaveLength(42);
  expect(titles(chain.draw('svg', 10_000))).toEqual(['step × 10,000', 'sum', 'result']);
});

describe('10,000 different electrons', () => {
  const graph = graphOf(random(10_000, 2, 300));
  const electrons = graph.nodes.map((_, id) => ({
    id,
    status: id === 9_999 ? ('failed' as const) : ('completed' as const),
  }));

  test.each(['svg', 'dot', 'mermaid'] as const)('are cut in %s, and it says how much is left out', (format) => {
    const text = drawSeen(format, graph, electrons);
    const { nodes, edges } = sizeOf(format, text);
    expect(nodes).toBeGreaterThan(100);
    expect(nodes).toBeLessThanOrEqual(300);
    expect(edges).toBeLessThanOrEqual(format === 'mermaid' ? 500 : 900);
    const left = (10_000 - (nodes - 1)).toLocaleString('en-US');
    expect(text.includes(`${left} not drawn`)).toBe(true);
    expect(text.includes(`${(10_000 - nodes).toLocaleString('en-US')} completed, 1 failed`)).toBe(true);
  });
});

describe("Mermaid's limits", () => {
  test('hold for few nodes with many edges', () => {
    const text = rows(10, 12).draw('mermaid');
    expect(graphOf(rows(10, 12)).nodes).toHaveLength(120);
    expect(sizeOf('mermaid', text).edges).toBeLessThanOrEqual(500);
    expect(/\d+ not drawn/.test(text)).toBe(true);
    expect(sizeOf('dot', rows(7, 12).draw('dot')).edges).toBe(6 * 144 + 12);
  });
  test('hold for names that take many characters to write', () => {
    const text = rows(290, 1, '*'.repeat(80)).draw('mermaid');
    expect(text.length).toBeLessThanOrEqual(50_000);
    expect(text.length).toBeGreaterThan(20_000);
    expect(/\d+ not drawn/.test(text)).toBe(true);
  });
});
