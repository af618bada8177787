/** Reads the geometry of an SVG picture: boxes, lines and texts where they are on the page. An XML parser reads the document; it raises on what is no XML. */
import { DOMParser, type Element } from '@xmldom/xmldom';

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Node extends Rect {
  readonly id: string;
  readonly title: string;
  readonly fill: string;
  readonly texts: readonly Text[];
  /** Ids of the nodes drawn inside. */
  readonly inside: readonly string[];
}
export interface Text extends Rect {
  readonly text: string;
  readonly fill: string;
}
export interface Line {
  readonly from: string;
  readonly to: string;
  readonly dashed: boolean;
  readonly points: readonly (readonly [number, number])[];
}
export interface Page extends Rect {
  readonly nodes: readonly Node[];
  readonly lines: readonly Line[];
  /** All texts, those of nodes too. */
  readonly texts: readonly Text[];
}

const childrenOf = (element: Element): Element[] =>
  [...element.childNodes].filter((child): child is Element => child.nodeType === child.ELEMENT_NODE);
const numberOf = (element: Element, name: string): number => Number(element.getAttribute(name) ?? 'NaN');

/** Curves as straight pieces: their ends and middles are enough, since their handles lie between these. */
function pointsOf(path: string, dx: number, dy: number): (readonly [number, number])[] {
  const points: (readonly [number, number])[] = [];
  for (const [, command, list = ''] of path.matchAll(/([MLC])([^MLC]*)/g)) {
    const n = list.trim().split(' ').map(Number);
    const at = (i: number): readonly [number, number] => [(n[i] ?? Number.NaN) + dx, (n[i + 1] ?? Number.NaN) + dy];
    if (command !== 'C') points.push(at(0));
    else {
      const start = points.at(-1) ?? [0, 0];
      for (let t = 0.125; t <= 1; t += 0.125) points.push(bezier([start, at(0), at(2), at(4)], t));
    }
  }
  return points;
}

function bezier(p: readonly (readonly [number, number])[], t: number): readonly [number, number] {
  const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
  const along = (axis: 0 | 1): number => weights.reduce((sum, weight, i) => sum + weight * (p[i]?.[axis] ?? 0), 0);
  return [along(0), along(1)];
}

/** The width that a fixed-width font of the widest common kind (DejaVu Sans Mono) gives a text of its own characters. */
const WIDEST = 0.602;

export function readSvg(svg: string): Page {
  const root = new DOMParser({
    onError: (level, message) => {
      throw new Error(`${level}: ${message}`);
    },
  }).parseFromString(svg, 'image/svg+xml').documentElement;
  if (root === null || root.tagName !== 'svg') throw new Error('no svg element');
  const nodes: Node[] = [];
  const lines: Line[] = [];
  const texts: Text[] = [];
  const visit = (
    element: Element,
    dx: number,
    dy: number,
    inside: { id: string; texts: Text[]; inside: string[] }[],
  ): void => {
    const moved = /^translate\((\S+) (\S+)\)$/.exec(element.getAttribute('transform') ?? '');
    const [x, y] = [dx + Number(moved?.[1] ?? 0), dy + Number(moved?.[2] ?? 0)];
    const rect = (of: Element): Rect => ({
      x: numberOf(of, 'x') + x,
      y: numberOf(of, 'y') + y,
      width: numberOf(of, 'width'),
      height: numberOf(of, 'height'),
    });
    if (element.tagName === 'path' && element.getAttribute('marker-end') !== null) {
      const [from = '', to = ''] = (element.getAttribute('id') ?? '').split('-');
      const dashed = element.getAttribute('stroke-dasharray') !== null;
      lines.push({ from, to, dashed, points: pointsOf(element.getAttribute('d') ?? '', x, y) });
    }
    if (element.tagName === 'text') {
      const size = numberOf(element, 'font-size');
      const text = element.textContent ?? '';
      const width = Array.from(text).length * size * WIDEST;
      const left =
        element.getAttribute('text-anchor') === 'middle' ? numberOf(element, 'x') - width / 2 : numberOf(element, 'x');
      const found = {
        text,
        fill: element.getAttribute('fill') ?? '',
        x: left + x,
        y: numberOf(element, 'y') - size * 0.8 + y,
        width,
        height: size,
      };
      texts.push(found);
      inside.at(-1)?.texts.push(found);
    }
    let scope = inside;
    if (element.getAttribute('class') === 'node') {
      const id = element.getAttribute('id') ?? '';
      const own: { id: string; texts: Text[]; inside: string[] } = { id, texts: [], inside: [] };
      for (const outer of inside) outer.inside.push(id);
      scope = [...inside, own];
      const rects = childrenOf(element).filter(({ tagName }) => tagName === 'rect');
      const sheets = rects.filter((one) => one.getAttribute('rx') !== null);
      const front = sheets.at(-1);
      const all = sheets.map(rect);
      const whole = { x: Math.min(...all.map((one) => one.x)), y: Math.min(...all.map((one) => one.y)) };
      nodes.push({
        ...own,
        ...whole,
        width: Math.max(...all.map((one) => one.x + one.width)) - whole.x,
        height: Math.max(...all.map((one) => one.y + one.height)) - whole.y,
        title: childrenOf(element).find(({ tagName }) => tagName === 'title')?.textContent ?? '',
        fill: front?.getAttribute('fill') ?? '',
      });
    }
    for (const child of childrenOf(element)) visit(child, x, y, scope);
  };
  visit(root, 0, 0, []);
  return { x: 0, y: 0, width: numberOf(root, 'width'), height: numberOf(root, 'height'), nodes, lines, texts };
}
