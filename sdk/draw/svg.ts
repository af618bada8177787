/**
 * A picture as a standalone SVG document, on a ground of its own, so that it reads the same on light and dark pages. A map's body is laid out by itself, inside the map's box.
 * Not here: where things go (layout.ts), and what stands in a box (svg-box.ts).
 */
import type { DrawnEdge, DrawnNode, Picture } from './drawing.ts';
import { layout } from './layout.ts';
import { headingOf, INK, LINE, oneLine, present, SMALL_INK, styleOfStatus, titleOf } from './look.ts';
import { box, container, px, rectangle, SMALL, SMALL_HEIGHT, widthOf, words, xml, type Piece } from './svg-box.ts';

const MARGIN = 24;
const HEADING = 17;
const LABEL = 10;
/** Width that a legend may always take. */
const LEGEND = 560;
const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

export function toSvg(picture: Picture): string {
  const graph = scope(picture.nodes, { edges: edgesByScope(picture.edges), across: picture.across });
  const above = headLines(picture);
  const below = legend(picture, Math.max(graph.width, LEGEND));
  const width = Math.ceil(Math.max(graph.width, ...[...above, ...below].map((line) => line.width)) + 2 * MARGIN);
  let y = MARGIN;
  const parts = [...above, graph, ...below].map((part) => {
    const painted = part.paint(part === graph ? (width - part.width) / 2 : MARGIN, y);
    y += part.height;
    return painted;
  });
  const height = Math.ceil(y + MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="${FONTS}">`,
    `<title>${xml(headingOf(picture))}</title>`,
    `<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5L8 4L0 7.5z" fill="${LINE}"/></marker></defs>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

const line = (text: string, size: number, height: number, ink: string, weight?: number): Piece => ({
  width: widthOf(text, size),
  height,
  paint: (x, y) => words(text, x, y, height, weight === undefined ? { size, ink } : { size, ink, weight }),
});
const gap = (height: number): Piece => ({ width: 0, height, paint: () => '' });

function headLines({ title, subtitle, nodes }: Picture): readonly Piece[] {
  const rest = nodes.find(({ kind }) => kind === 'rest');
  const small = [subtitle, rest && `Too much for one picture: ${titleOf(rest)}.`];
  return [
    line(oneLine(title), HEADING, 26, INK, 600),
    ...small.flatMap((text) => (text === undefined ? [] : [line(oneLine(text), SMALL, 18, SMALL_INK)])),
    gap(18),
  ];
}

/** What colours, borders and broken lines mean, as far as they occur, with the numbers of electrons. */
function legend({ totals, edges }: Picture, width: number): readonly Piece[] {
  const entries = present(totals).map(([status, n]) => ({
    text: `${n.toLocaleString('en-US')} ${status}`,
    sign: (x: number, y: number) => rectangle(x + 4, y + 2, { width: 16, height: 12 }, styleOfStatus(status), 3),
  }));
  if (edges.some(({ data }) => !data))
    entries.push({ text: 'order, without data', sign: (x, y) => stroke(`M${px(x)} ${px(y + 8)}h22`, false) });
  const rows: { width: number; paint: ((x: number, y: number) => string)[] }[] = [];
  for (const { text, sign } of entries) {
    const needs = 28 + widthOf(text, SMALL) + 20;
    let row = rows.at(-1);
    if (row === undefined || row.width + needs > width) rows.push((row = { width: 0, paint: [] }));
    const left = row.width;
    row.paint.push(
      (x, y) => sign(x + left, y) + words(text, x + left + 28, y, SMALL_HEIGHT, { size: SMALL, ink: SMALL_INK }),
    );
    row.width += needs;
  }
  const pieces = rows.map(({ width, paint }) => ({
    width,
    height: 20,
    paint: (x: number, y: number) => paint.map((one) => one(x, y)).join(''),
  }));
  return pieces.length === 0 ? [] : [gap(20), ...pieces];
}

/** Edges by the beginning of their keys; those that lead into a map's body end at the map. */
type Scopes = ReadonlyMap<string, ReadonlyMap<string, DrawnEdge>>;
function edgesByScope(edges: readonly DrawnEdge[]): Scopes {
  const scopes = new Map<string, Map<string, DrawnEdge>>();
  for (const edge of edges) {
    const steps = edge.from.split('_');
    const to = edge.to.split('_').slice(0, steps.length).join('_');
    const around = steps.slice(0, -1).join('_');
    const scope = scopes.get(around) ?? new Map<string, DrawnEdge>();
    scopes.set(around, scope);
    const pair = `${edge.from} ${to}`;
    const other = scope.get(pair);
    scope.set(pair, other === undefined ? { ...edge, to } : { ...other, data: other.data || edge.data });
  }
  return scopes;
}

/** Nodes that share a scope, with the edges among them; `around`: the key of the map, none outside. */
function scope(
  nodes: readonly DrawnNode[],
  all: { readonly edges: Scopes; readonly across: boolean },
  around = '',
): Piece {
  const pieces = new Map(
    nodes.map((node) => [
      node.key,
      node.body === undefined ? box(node) : container(node, scope(node.body, all, node.key)),
    ]),
  );
  const labelOf = ({ labels }: DrawnEdge) =>
    labels.length === 0 ? undefined : { width: widthOf(labels.join(', '), LABEL) + 8, height: 16 };
  const edges = [...(all.edges.get(around)?.values() ?? [])];
  const { corners, lines, width, height } = layout(pieces, edges, labelOf, all.across);
  return {
    width,
    height,
    paint: (x, y) =>
      [
        `<g transform="translate(${px(x)} ${px(y)})">`,
        ...lines.map(({ edge, path }) =>
          stroke(path, edge.data, ` id="${edge.from}-${edge.to}" marker-end="url(#arrow)"`),
        ),
        ...lines.flatMap(({ edge, label }) => (edge.labels.length === 0 ? [] : [labelText(edge, label.x, label.y)])),
        ...[...pieces].map(([key, piece]) => piece.paint(corners.get(key)?.x ?? 0, corners.get(key)?.y ?? 0)),
        '</g>',
      ].join('\n'),
  };
}

const stroke = (path: string, data: boolean, more = ''): string =>
  `<path d="${path}" fill="none" stroke="${LINE}"${data ? '' : ' stroke-dasharray="5 4"'}${more}/>`;

/** On a ground of its own, since the edge passes below it. */
function labelText({ labels }: DrawnEdge, x: number, y: number): string {
  const text = labels.join(', ');
  const width = widthOf(text, LABEL) + 8;
  const ground = `<rect x="${px(x - width / 2)}" y="${px(y - 7)}" width="${px(width)}" height="14" rx="3" fill="#ffffff"/>`;
  return ground + words(text, x, y - 7, 14, { size: LABEL, ink: SMALL_INK, anchor: 'middle' });
}
