/** An SVG picture can be read: boxes apart, texts in their boxes and dark enough, lines forward and past the boxes. Measured on the document, at 5 to 200 nodes and with maps. */
import { describe, expect, test } from 'vitest';
import { drawGraph } from '../../../sdk/draw/draw.ts';
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import { electronStatuses } from '../../../model/lifecycle.ts';
import { drawSeen, graphOf, layered, mapped, mappedElectrons, random } from './samples.ts';
import { readSvg, type Node, type Page, type Rect } from './svg-reader.ts';

const long = electron({ name: 'a name that is much longer than what anybody would want to see in a box' }, () => 1);
const wordy = electron(
  { name: 'wordy', needs: ['gpu', 'site=cern', 'memory>=32GiB', 'a-disk-as-large-as-a-house'] },
  (x: number) => x,
);

const draw = (drawn: unknown): string => drawGraph('svg', graphOf(drawn), { title: 'sample' });
const everyStatus = electronStatuses.length;
const seenOf = (drawn: unknown): string => {
  const graph = graphOf(drawn);
  const electrons = graph.nodes.map((_, id) => ({ id, status: electronStatuses[id % everyStatus] ?? 'waiting' }));
  return drawSeen('svg', graph, electrons);
};

const samples: readonly (readonly [string, () => string])[] = [
  ['5 nodes', () => draw(random(5, 2, 3))],
  ['30 nodes', () => draw(random(30, 2, 6))],
  ['30 nodes of all statuses', () => seenOf(random(30, 2, 6))],
  ['200 nodes', () => draw(random(200, 2, 20))],
  ['200 nodes of all statuses', () => seenOf(random(200, 2, 20))],
  ['200 nodes with 500 edges', () => draw(random(200, 4, 60))],
  ['20 rows of 10', () => draw(layered(20, 10))],
  ['4 rows of 50', () => draw(layered(4, 50))],
  ['maps', () => draw(mapped)],
  ['maps of a dispatch', () => drawSeen('svg', graphOf(mapped), mappedElectrons())],
  ['long names', () => draw(lattice({ name: 'long' }, () => wordy(long())))],
];

const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const within = (inner: Rect, outer: Rect): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

/** WCAG 2's ratio of two colours, `#rrggbb`. */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [a, b].map(luminance).sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const overlapping = ({ nodes }: Page): string[] =>
  nodes.flatMap((a, i) =>
    nodes.slice(i + 1).flatMap((b) => {
      const fine = a.inside.includes(b.id) ? within(b, a) : b.inside.includes(a.id) ? within(a, b) : !overlap(a, b);
      return fine ? [] : [`${a.title} and ${b.title}`];
    }),
  );

/** Lines that lie in a box, other than the map around them. */
const crossing = ({ nodes, lines }: Page): string[] =>
  lines.flatMap(({ from, to, points }) =>
    nodes
      .filter((box) => !box.inside.includes(from) && points.some(([x, y]) => inBox(box, x, y)))
      .map(({ title }) => `${from} to ${to} through ${title}`),
  );
/** By more than a border's width. */
const inBox = ({ x, y, width, height }: Node, px: number, py: number): boolean =>
  px > x + 1 && px < x + width - 1 && py > y + 1 && py < y + height - 1;

const backward = ({ lines }: Page, axis: 0 | 1): string[] =>
  lines.flatMap(({ from, to, points }) =>
    points.some((point, i) => point[axis] < (points[i - 1]?.[axis] ?? Number.NEGATIVE_INFINITY) - 0.1)
      ? [`${from} to ${to}`]
      : [],
  );

const detached = ({ nodes, lines }: Page): string[] => {
  const boxes = new Map(nodes.map((node) => [node.id, node]));
  const touches = (id: string, point: readonly [number, number] | undefined): boolean => {
    const box = boxes.get(id);
    if (box === undefined || point === undefined) return false;
    const [x, y] = point;
    return (
      within(
        { x, y, width: 0, height: 0 },
        { x: box.x - 0.2, y: box.y - 0.2, width: box.width + 0.4, height: box.height + 0.4 },
      ) && !inBox(box, x, y)
    );
  };
  return lines.flatMap(({ from, to, points }) =>
    touches(from, points[0]) && touches(to, points.at(-1)) ? [] : [`${from} to ${to}`],
  );
};

describe.each(samples)('%s', (_, make) => {
  const page = readSvg(make());
  const own = new Set(page.nodes.flatMap(({ texts }) => texts));

  test('no two boxes overlap; what is inside a map is inside its box', () => {
    expect(overlapping(page)).toEqual([]);
  });
  test('no line runs back, none through a box, all from box to box', () => {
    const ways = [backward(page, 0), backward(page, 1)];
    expect(
      ways.some((way) => way.length === 0),
      ways.map(String).join(' / '),
    ).toBe(true);
    expect(crossing(page)).toEqual([]);
    expect(detached(page)).toEqual([]);
  });
  test('every text is in its box or on the page, beside the boxes, and dark enough', () => {
    const outside = page.nodes.flatMap((node) =>
      node.texts.filter((text) => !within(text, node)).map(({ text }) => text),
    );
    expect(outside).toEqual([]);
    expect([...page.nodes, ...page.texts].filter((one) => !within(one, page))).toEqual([]);
    const leaves = page.nodes.filter(({ inside }) => inside.length === 0);
    const labels = page.texts.filter((text) => !own.has(text));
    expect(labels.filter((label) => leaves.some((box) => overlap(label, box))).map(({ text }) => text)).toEqual([]);
    for (const { texts, fill } of page.nodes)
      for (const text of texts) expect(contrast(text.fill, fill), `${text.text} on ${fill}`).toBeGreaterThan(4.5);
    for (const text of labels) expect(contrast(text.fill, '#ffffff')).toBeGreaterThan(4.5);
  });
});

test('nodes and lines are all there, and their kinds', () => {
  const page = readSvg(draw(random(30, 2, 6)));
  expect(page.nodes).toHaveLength(31);
  const pairs = new Set(
    graphOf(random(30, 2, 6)).nodes.flatMap((node, to) =>
      node.kind === 'electron' ? node.inputs.map((from) => `n${JSON.stringify(from)} n${to}`) : [],
    ),
  );
  expect(page.lines.length).toBe(pairs.size + 3);
  expect(readSvg(draw(mapped)).nodes.map(({ title }) => title)).toEqual([
    'load',
    'settings',
    'train × n, map, 8 at once, on slurm, needs gpu',
    'score × n, map',
    'train × n, on slurm, needs gpu',
    'score × n',
    'pick',
    'result',
  ]);
});
