/**
 * A transport graph as text: Mermaid, Graphviz DOT or SVG; with what is seen of a dispatch, nodes have its statuses.
 * Not here: making the graph, or asking for the statuses.
 */
import { assertNever } from '../../model/errors.ts';
import type { WireGraph } from '../../model/graph.ts';
import type { DrawFormat } from '../types.ts';
import { runsAcross } from './direction.ts';
import { toDot } from './dot.ts';
import { drawing, type Drawing, type Picture } from './drawing.ts';
import { folded, type Limits } from './fold.ts';
import { MERMAID_CHARACTERS, MERMAID_EDGES, toMermaid } from './mermaid.ts';
import type { Seen } from './seen.ts';
import { toSvg } from './svg.ts';

export interface DrawOptions {
  readonly title: string;
  readonly subtitle?: string;
  readonly seen?: Seen;
}

/** More boxes or lines than this nobody reads, and a layout of them takes long. */
const limits: Readonly<Record<DrawFormat, Limits>> = {
  svg: { nodes: 300, edges: 900 },
  dot: { nodes: 300, edges: 900 },
  mermaid: { nodes: 300, edges: MERMAID_EDGES },
};
/** With more edges their labels are in each other's way. */
const LABELLED_EDGES = 60;

export function drawGraph(format: DrawFormat, graph: WireGraph, { seen, ...about }: DrawOptions): string {
  const whole = drawing(graph, seen);
  const totals = seen?.totals() ?? {};
  const picture = (most: Limits): Picture => {
    const drawn = labelled(folded(whole, most));
    return { ...about, ...drawn, across: runsAcross(drawn), totals };
  };
  switch (format) {
    case 'mermaid':
      return mermaidWithin(picture);
    case 'dot':
      return toDot(picture(limits.dot));
    case 'svg':
      return toSvg(picture(limits.svg));
    default:
      return assertNever(format, 'draw format');
  }
}

/** Names that take many characters to write leave room for fewer nodes. */
function mermaidWithin(picture: (most: Limits) => Picture): string {
  for (let most = limits.mermaid; ; most = { nodes: most.nodes >> 1, edges: most.edges >> 1 }) {
    const text = toMermaid(picture(most));
    if (text.length <= MERMAID_CHARACTERS || most.nodes < 8) return text;
  }
}

const labelled = (drawn: Drawing): Drawing =>
  drawn.edges.length <= LABELLED_EDGES
    ? drawn
    : { nodes: drawn.nodes, edges: drawn.edges.map((edge) => ({ ...edge, labels: [] })) };
