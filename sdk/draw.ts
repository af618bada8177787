/**
 * A transport graph as text: Mermaid, Graphviz DOT, or SVG (draw-svg.ts); with statuses, nodes are coloured by them.
 * Not here: making the graph, or finding the statuses.
 */
import { assertNever } from '../model/errors.ts';
import type { WireGraph } from '../model/graph.ts';
import type { ElectronStatus } from '../model/lifecycle.ts';
import { drawing, type Drawing, type DrawnNode } from './drawing.ts';
import { toSvg } from './draw-svg.ts';
import type { DrawFormat } from './types.ts';

/** Fill colours; a status without one stays white. */
export const statusColours: Readonly<Partial<Record<ElectronStatus, string>>> = {
  running: '#cfe8ff',
  assigned: '#e6f2ff',
  retrying: '#ffe9b3',
  completed: '#d3f2d3',
  reused: '#e2f2e2',
  failed: '#ffc9c9',
  cancelled: '#e3e3e3',
  cancelling: '#e3e3e3',
  skipped: '#f0f0f0',
};

/** `statusOf` is asked for the graph's own nodes, by id; a map's body has one drawing for all of its items. */
export function drawGraph(
  format: DrawFormat,
  graph: WireGraph,
  statusOf: (node: number) => ElectronStatus | undefined = () => undefined,
): string {
  const what = drawing(graph, statusOf);
  switch (format) {
    case 'mermaid':
      return toMermaid(what);
    case 'dot':
      return toDot(what);
    case 'svg':
      return toSvg(what, statusColours);
    default:
      return assertNever(format, 'draw format');
  }
}

/** Mermaid reads `#…;` as entities in a quoted label; a leading backtick would begin Markdown. */
const mermaidText = (text: string): string =>
  `"${oneLine(text).replaceAll(/[#"`<>&\\]/g, (char) => `#${char.codePointAt(0) ?? 0};`)}"`;
const dotText = (text: string): string => `"${oneLine(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
// oxlint-disable-next-line no-control-regex
const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ');

function toMermaid({ nodes, edges }: Drawing): string {
  const lines = ['flowchart TD'];
  const add = (list: readonly DrawnNode[], indent: string): void => {
    for (const node of list) {
      if (node.body === undefined)
        lines.push(
          `${indent}${node.key}${node.round ? `([${mermaidText(node.label)}])` : `[${mermaidText(node.label)}]`}`,
        );
      else {
        lines.push(`${indent}subgraph ${node.key}[${mermaidText(node.label)}]`);
        add(node.body, `${indent}  `);
        lines.push(`${indent}end`);
      }
    }
  };
  add(nodes, '  ');
  for (const { from, to, data } of edges) lines.push(`  ${from} ${data ? '-->' : '-.->'} ${to}`);
  for (const [key, status] of coloured(nodes)) lines.push(`  style ${key} fill:${statusColours[status] ?? '#ffffff'}`);
  return `${lines.join('\n')}\n`;
}

function toDot({ nodes, edges }: Drawing): string {
  const lines = [
    'digraph lattice {',
    '  compound=true;',
    '  node [shape=box, style="rounded,filled", fillcolor=white];',
  ];
  const add = (list: readonly DrawnNode[], indent: string): void => {
    for (const { key, label, body, round, status } of list) {
      const colour = status === undefined ? undefined : statusColours[status];
      const fill = colour === undefined ? '' : `, fillcolor=${dotText(colour)}`;
      if (body === undefined)
        lines.push(`${indent}${key} [label=${dotText(label)}${round ? ', shape=oval' : ''}${fill}];`);
      else {
        // Edges can't end at a cluster: they end at a point inside.
        lines.push(`${indent}subgraph cluster_${key} {`, `${indent}  label=${dotText(label)};`);
        if (colour !== undefined) lines.push(`${indent}  style=filled; color=${dotText(colour)};`);
        lines.push(`${indent}  ${key} [shape=point, label=""];`);
        add(body, `${indent}  `);
        lines.push(`${indent}}`);
      }
    }
  };
  add(nodes, '  ');
  for (const { from, to, data } of edges) lines.push(`  ${from} -> ${to}${data ? '' : ' [style=dashed]'};`);
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

const coloured = (nodes: readonly DrawnNode[]): (readonly [string, ElectronStatus])[] =>
  nodes.flatMap(({ key, status }) => (status === undefined ? [] : [[key, status] as const]));
