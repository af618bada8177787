/** The pieces of an SVG picture, each of a size of its own: lines of text, a node's box, a map with its body inside. Not here: the document (svg.ts). */
import type { DrawnNode } from './drawing.ts';
import type { Size } from './layout.ts';
import {
  columns,
  INK,
  isPile,
  oneLine,
  present,
  SMALL_INK,
  styleOf,
  styleOfStatus,
  textOf,
  titleOf,
  type Style,
} from './look.ts';
import { totalOf, type Counts } from './seen.ts';

/** Painted with its upper left corner at `x`, `y`. */
export interface Piece extends Size {
  paint(x: number, y: number): string;
}

/** Pixels. */
const TITLE = 13;
const TITLE_HEIGHT = 18;
export const SMALL = 11;
export const SMALL_HEIGHT = 15;
const PAD_X = 14;
const PAD_Y = 8;
const LEAST_WIDTH = 64;
/** How far each of the two sheets below a pile shows. */
const SHEET = 4;
const BAR = 4;
const SIDE = 6;

/** No fixed-width font has characters wider than this share of its size, so that a text's width is known without the font. */
const CHARACTER = 0.61;
export const widthOf = (text: string, size: number): number => columns(text) * size * CHARACTER;

export const px = (value: number): string => String(Math.round(value * 10) / 10);
export const xml = (text: string): string =>
  oneLine(text).replaceAll(/[<>&"']/g, (char) => `&#${char.codePointAt(0) ?? 0};`);

interface Font {
  readonly size: number;
  readonly ink: string;
  readonly weight?: number;
  readonly anchor?: 'middle';
}

/** A text in a line from `y` on, `height` high. */
export function words(text: string, x: number, y: number, height: number, { size, ink, weight, anchor }: Font): string {
  const more = `${weight === undefined ? '' : ` font-weight="${weight}"`}${anchor === undefined ? '' : ` text-anchor="${anchor}"`}`;
  const base = y + height / 2 + size * 0.35;
  return `<text x="${px(x)}" y="${px(base)}" font-size="${size}" fill="${ink}"${more}>${xml(text)}</text>`;
}

/** `rx`: radius of its corners. */
export function rectangle(x: number, y: number, { width, height }: Size, style: Style, rx: number): string {
  const dash = style.dash === undefined ? '' : ` stroke-dasharray="${style.dash}"`;
  return `<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" rx="${px(rx)}" fill="${style.fill}" stroke="${style.stroke}" stroke-width="${style.width}"${dash}/>`;
}

/** A node without what is inside; a pile when it stands for several. */
export function box(node: DrawnNode): Piece {
  const { title, lines } = textOf(node);
  const bar = present(node.counts).length > 1 ? BAR + PAD_Y : 0;
  const front = {
    width: Math.max(LEAST_WIDTH, widthOf(title, TITLE), ...lines.map((line) => widthOf(line, SMALL))) + 2 * PAD_X,
    height: 2 * PAD_Y + TITLE_HEIGHT + lines.length * SMALL_HEIGHT + bar,
  };
  const rx = node.kind === 'result' ? front.height / 2 : 6;
  return pile(node, front, (x, y) => {
    const middle = x + front.width / 2;
    return [
      rectangle(x, y, front, styleOf(node), rx),
      ...(node.kind === 'lattice' ? [sides(x, y, front, styleOf(node))] : []),
      ...header(title, lines, middle, y, 'middle'),
      ...(bar === 0 ? [] : barOf(node.counts, x + PAD_X, y + front.height - PAD_Y - BAR, front.width - 2 * PAD_X)),
    ].join('');
  });
}

/** A map's box with its body. */
export function container(node: DrawnNode, body: Piece): Piece {
  const { title, lines } = textOf(node);
  const head = PAD_Y + TITLE_HEIGHT + lines.length * SMALL_HEIGHT + PAD_Y;
  const text = Math.max(widthOf(title, TITLE), ...lines.map((line) => widthOf(line, SMALL)));
  const front = { width: Math.max(text, body.width) + 2 * PAD_X, height: head + body.height + PAD_X };
  return pile(node, front, (x, y) =>
    [
      rectangle(x, y, front, styleOf(node), 6),
      ...header(title, lines, x + PAD_X, y),
      body.paint(x + (front.width - body.width) / 2, y + head),
    ].join(''),
  );
}

/** A line at either side, as flow charts have it for a process that is described elsewhere. */
function sides(x: number, y: number, { width, height }: Size, { stroke }: Style): string {
  const lines = [x + SIDE, x + width - SIDE].map((at) => `M${px(at)} ${px(y)}v${px(height)}`);
  return `<path d="${lines.join('')}" stroke="${stroke}"/>`;
}

function header(title: string, lines: readonly string[], x: number, y: number, anchor?: 'middle'): readonly string[] {
  const at = anchor === undefined ? {} : { anchor };
  return [
    words(title, x, y + PAD_Y, TITLE_HEIGHT, { size: TITLE, ink: INK, weight: 600, ...at }),
    ...lines.map((line, i) =>
      words(line, x, y + PAD_Y + TITLE_HEIGHT + i * SMALL_HEIGHT, SMALL_HEIGHT, { size: SMALL, ink: SMALL_INK, ...at }),
    ),
  ];
}

function pile(node: DrawnNode, front: Size, paint: (x: number, y: number) => string): Piece {
  const sheets = isPile(node) ? [2 * SHEET, SHEET] : [];
  const below = sheets[0] ?? 0;
  const about = [titleOf(node), ...present(node.counts).map(([status, n]) => `${n} ${status}`), ...node.notes];
  return {
    width: front.width + below,
    height: front.height + below,
    paint: (x, y) =>
      [
        `<g class="node" id="${node.key}"><title>${xml(about.join(', '))}</title>`,
        ...sheets.map((offset) => rectangle(x + offset, y + offset, front, styleOf(node), 6)),
        paint(x, y),
        '</g>',
      ].join(''),
  };
}

/** Shares of the statuses; the smallest can be seen too. */
function barOf(counts: Counts, x: number, y: number, width: number): readonly string[] {
  const shares = present(counts);
  const least = 3;
  const unit = (width - shares.length * least) / totalOf(counts);
  let at = x;
  return shares.map(([status, n]) => {
    const part = n * unit + least;
    const bar = `<rect x="${px(at)}" y="${px(y)}" width="${px(part)}" height="${BAR}" fill="${styleOfStatus(status).stroke}"/>`;
    at += part;
    return bar;
  });
}
