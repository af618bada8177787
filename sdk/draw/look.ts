/**
 * How a node looks in every format: its lines of text, and colour and border by status. No status is told by colour alone: its word stands in the box.
 * Not here: the formats' own syntax.
 */
import { electronStatuses, isTerminalElectron, type ElectronStatus } from '../../model/lifecycle.ts';
import type { DrawnNode, Picture } from './drawing.ts';
import { totalOf, type Counts } from './seen.ts';

/** Colours as #rrggbb, `dash` as in SVG (none: solid), `width` of the border in pixels. */
export interface Style {
  readonly fill: string;
  readonly stroke: string;
  readonly width: number;
  readonly dash?: string;
}

/** Dark enough on every fill and on white. */
export const INK = '#1f2328';
export const SMALL_INK = '#424a53';
export const LINE = '#6e7781';

const plain: Style = { fill: '#f3f6fa', stroke: LINE, width: 1 };
const styles: Readonly<Record<ElectronStatus, Style>> = {
  waiting: { fill: '#ffffff', stroke: LINE, width: 1, dash: '2 3' },
  ready: { fill: '#ffffff', stroke: LINE, width: 1 },
  assigned: { fill: '#e6f3ff', stroke: '#0969da', width: 1, dash: '6 3' },
  running: { fill: '#c4e3ff', stroke: '#0550ae', width: 2 },
  retrying: { fill: '#fff1c2', stroke: '#9a6700', width: 2, dash: '6 3' },
  cancelling: { fill: '#e4e8ec', stroke: '#57606a', width: 2, dash: '6 3' },
  completed: { fill: '#d5f3db', stroke: '#1a7f37', width: 1 },
  failed: { fill: '#ffd9d6', stroke: '#b3161f', width: 3 },
  cancelled: { fill: '#e4e8ec', stroke: '#57606a', width: 1, dash: '6 3' },
  skipped: { fill: '#f3f4f6', stroke: '#57606a', width: 1, dash: '2 3' },
  reused: { fill: '#e8f8ec', stroke: '#1a7f37', width: 1, dash: '2 3' },
};

/** The status that a box for many takes its look from: failed when one has, running when some have ended and others haven't, else the most frequent. */
function statusOf(counts: Counts): ElectronStatus | undefined {
  const [first, ...others] = [...present(counts)].sort(([, a], [, b]) => b - a).map(([status]) => status);
  if (first === undefined || others.length === 0) return first;
  if ((counts.failed ?? 0) > 0) return 'failed';
  const open = others.some((status) => isTerminalElectron(status) !== isTerminalElectron(first));
  return open ? 'running' : first;
}
export const styleOfStatus = (status: ElectronStatus): Style => styles[status];

/** Behind a map's body, whatever the map's status: the nodes in it have colours of their own. */
const INSIDE = '#fbfcfd';

export function styleOf({ counts, body }: Pick<DrawnNode, 'counts' | 'body'>): Style {
  const status = statusOf(counts);
  const style = status === undefined ? plain : styles[status];
  return body === undefined ? style : { ...style, fill: INSIDE };
}

/** Statuses that occur, in the order of the lifecycle. */
export const present = (counts: Counts): readonly (readonly [ElectronStatus, number])[] =>
  electronStatuses.flatMap((status) => {
    const n = counts[status] ?? 0;
    return n > 0 ? [[status, n] as const] : [];
  });

/** Drawn as several, one behind the other. */
export const isPile = ({ kind, runs }: DrawnNode): boolean =>
  kind === 'map' || ((kind === 'electron' || kind === 'lattice') && runs !== 1);

const shown = (n: DrawnNode['runs']): string => (n === 'n' ? 'n' : n.toLocaleString('en-US'));

/** `train`, `train × 1,000`, `train × n`; `9,700 not drawn`. */
export function titleOf({ kind, name, runs }: DrawnNode): string {
  if (kind === 'rest') return `${shown(runs)} ${name}`;
  return kind !== 'map' && runs === 1 ? oneLine(name) : `${oneLine(name)} × ${shown(runs)}`;
}

/** What stands in the box: the title, how the runs are (`998 completed, 2 failed`), the small print. */
export function textOf(node: DrawnNode): { readonly title: string; readonly lines: readonly string[] } {
  const total = totalOf(node.counts);
  const statuses = present(node.counts).map(([status, n]) => (total === 1 ? status : `${shown(n)} ${status}`));
  return {
    title: clip(titleOf(node), TITLE),
    lines: [
      ...wrap(statuses),
      ...wrap([...node.notes, ...(node.dispatch === undefined ? [] : [node.dispatch])].map(oneLine)),
    ],
  };
}

/** Columns of a title and of the lines below it. */
const TITLE = 36;
const LINE_COLUMNS = 40;

/** Parts with commas between them, on as few lines as hold them. */
function wrap(parts: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    if (line !== undefined && columns(`${line}, ${part}`) < LINE_COLUMNS) lines[lines.length - 1] = `${line}, ${part}`;
    else lines.push(part);
  }
  return lines.map((line, i) => clip(i < lines.length - 1 ? `${line},` : line, LINE_COLUMNS));
}

/** Width in characters of a fixed-width font; those of Asia and emoji take two. */
export const columns = (text: string): number => Array.from(text).length + (text.match(WIDE)?.length ?? 0);
const WIDE = /[\u1100-\u1dff\u2300-\u{10ffff}]/gu;

function clip(text: string, most: number): string {
  if (columns(text) <= most) return text;
  let kept = '';
  let left = most - 1;
  for (const char of text) {
    left -= columns(char);
    if (left < 0) break;
    kept += char;
  }
  return `${kept}…`;
}

/** Without what breaks lines, turns the direction of writing, or is no character. */
export const oneLine = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]+/gu, ' ');

export const headingOf = ({ title, subtitle }: Pick<Picture, 'title' | 'subtitle'>): string =>
  oneLine(subtitle === undefined ? title : `${title} · ${subtitle}`);
