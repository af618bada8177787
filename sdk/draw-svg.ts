/** A drawing as SVG: boxes in layers, each below what it needs, and straight lines. Maps are one box that names what is inside. */
import type { ElectronStatus } from '../model/lifecycle.ts';
import type { Drawing, DrawnNode } from './drawing.ts';

const WIDTH = 160;
const HEIGHT = 40;
const GAP_X = 24;
const GAP_Y = 48;
/** Characters that fit a box. */
const FIT = 22;

const xml = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replaceAll(/[\u0000-\u001f<>&"']/g, (char) => (char < ' ' ? ' ' : `&#${char.codePointAt(0) ?? 0};`));
const clip = (text: string): string => {
  const chars = Array.from(text);
  return chars.length > FIT ? `${chars.slice(0, FIT - 1).join('')}…` : text;
};

interface Box {
  readonly x: number;
  readonly y: number;
}

/** The top-level key that a key lies in: a body's node is inside its map's box. */
const outermost = (key: string): string => key.split('_', 1)[0] ?? key;

function labelOf(node: DrawnNode): string {
  const inside = node.body?.length ?? 0;
  return node.body === undefined ? node.label : `${node.label} (${inside} ${inside === 1 ? 'node' : 'nodes'})`;
}

function layout({ nodes, edges }: Drawing): {
  readonly boxes: Map<string, Box>;
  readonly width: number;
  readonly height: number;
} {
  const order = new Map(nodes.map(({ key }, i) => [key, i]));
  const parents = nodes.map((): number[] => []);
  for (const edge of edges) {
    const from = order.get(outermost(edge.from));
    const to = order.get(outermost(edge.to));
    // Edges point back in an honest graph; others would make the layers endless.
    if (from !== undefined && to !== undefined && from < to) parents[to]?.push(from);
  }
  const layers: number[] = [];
  const filled: number[] = [];
  const boxes = new Map<string, Box>();
  let width = 0;
  for (const [i, node] of nodes.entries()) {
    let layer = 0;
    for (const parent of parents[i] ?? []) layer = Math.max(layer, (layers[parent] ?? 0) + 1);
    layers.push(layer);
    const column = filled[layer] ?? 0;
    filled[layer] = column + 1;
    const x = GAP_X + column * (WIDTH + GAP_X);
    boxes.set(node.key, { x, y: GAP_Y / 2 + layer * (HEIGHT + GAP_Y) });
    width = Math.max(width, x + WIDTH + GAP_X);
  }
  return { boxes, width, height: filled.length * (HEIGHT + GAP_Y) };
}

/** `what` as a standalone SVG document. */
export function toSvg(what: Drawing, colours: Readonly<Partial<Record<ElectronStatus, string>>>): string {
  const { boxes, width, height } = layout(what);
  const lines = new Set<string>();
  for (const { from, to, data } of what.edges) {
    const a = boxes.get(outermost(from));
    const b = boxes.get(outermost(to));
    if (a === undefined || b === undefined || a === b) continue;
    const ends = `x1="${a.x + WIDTH / 2}" y1="${a.y + HEIGHT}" x2="${b.x + WIDTH / 2}" y2="${b.y}"`;
    lines.add(`<line ${ends}${data ? '' : ' stroke-dasharray="4 3"'}/>`);
  }
  const shapes = what.nodes.map((node) => {
    const { x, y } = boxes.get(node.key) ?? { x: 0, y: 0 };
    const fill = (node.status === undefined ? undefined : colours[node.status]) ?? '#ffffff';
    const label = labelOf(node);
    const rect = `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="${node.round ? HEIGHT / 2 : 6}" fill="${fill}" stroke="#555555"/>`;
    const text = `<text x="${x + WIDTH / 2}" y="${y + HEIGHT / 2 + 4}" text-anchor="middle">${xml(clip(label))}</text>`;
    return `<g><title>${xml(label)}</title>${rect}${text}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<g stroke="#777777">${[...lines].join('')}</g>`,
    ...shapes,
    '</svg>',
    '',
  ].join('\n');
}
