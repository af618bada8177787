/** A picture in Graphviz' DOT. */
import type { DrawnNode, Picture } from './drawing.ts';
import { headingOf, INK, isPile, LINE, SMALL_INK, styleOf, textOf } from './look.ts';

export function toDot(picture: Picture): string {
  const { nodes, edges } = picture;
  const lines = [
    'digraph lattice {',
    `  graph [rankdir=${picture.across ? 'LR' : 'TB'}, compound=true, label=${text(headingOf(picture))}, labelloc=t, fontname="monospace", fontcolor="${INK}", nodesep=0.3];`,
    `  node [shape=box, fontname="monospace", fontsize=11, fontcolor="${INK}"];`,
    `  edge [color="${LINE}", fontname="monospace", fontsize=9, fontcolor="${SMALL_INK}", arrowsize=0.7];`,
  ];
  /** Edges can't end at a cluster: they end at a node in it, cut off at the border. */
  const first = new Map<string, string>();
  const last = new Map<string, string>();
  const add = (list: readonly DrawnNode[], indent: string): void => {
    for (const node of list) {
      const { title, lines: more } = textOf(node);
      const { fill, stroke, width, dash } = styleOf(node);
      const label = `label=${text(title, ...more)}`;
      const style = `style="filled,rounded${dash === undefined ? '' : ',dashed'}"`;
      const look = `fillcolor="${fill}", color="${stroke}", penwidth=${width}, ${style}`;
      const [head] = node.body ?? [];
      const tail = node.body?.at(-1);
      if (node.body === undefined || head === undefined || tail === undefined)
        lines.push(`${indent}${node.key} [${label}, ${look}${shape(node)}];`);
      else {
        lines.push(`${indent}subgraph cluster_${node.key} {`, `${indent}  graph [${label}, ${look}];`);
        add(node.body, `${indent}  `);
        lines.push(`${indent}}`);
        first.set(node.key, first.get(head.key) ?? head.key);
        last.set(node.key, last.get(tail.key) ?? tail.key);
      }
    }
  };
  add(nodes, '  ');
  for (const { from, to, data, labels } of edges) {
    const [tail, head] = [last.get(from), first.get(to)];
    const options = [
      ...(tail === undefined ? [] : [`ltail=cluster_${from}`]),
      ...(head === undefined ? [] : [`lhead=cluster_${to}`]),
      ...(data ? [] : ['style=dashed']),
      ...(labels.length === 0 ? [] : [`label=${text(labels.join(', '))}`]),
    ];
    lines.push(`  ${tail ?? from} -> ${head ?? to}${options.length === 0 ? '' : ` [${options.join(', ')}]`};`);
  }
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

function shape(node: DrawnNode): string {
  if (isPile(node)) return ', shape=box3d';
  if (node.kind === 'lattice') return ', peripheries=2';
  if (node.kind === 'result') return ', shape=oval';
  return node.kind === 'rest' ? ', shape=note' : '';
}

/** Lines as one quoted string; Graphviz reads `&…;` in it as a character. */
const text = (...lines: readonly string[]): string =>
  `"${lines.map((line) => line.replaceAll('&', '&amp;').replaceAll(/["\\]/g, String.raw`\$&`)).join(String.raw`\n`)}"`;
