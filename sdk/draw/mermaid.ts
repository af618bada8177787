/** A picture as a Mermaid flowchart. */
import type { DrawnNode, Picture } from './drawing.ts';
import { headingOf, INK, isPile, styleOf, textOf, type Style } from './look.ts';
import { totalOf } from './seen.ts';

/** What Mermaid draws without being told otherwise by whoever shows it: more edges or characters are an error to it. */
export const MERMAID_EDGES = 500;
export const MERMAID_CHARACTERS = 50_000;

export function toMermaid(picture: Picture): string {
  const { nodes, edges } = picture;
  const lines = [
    '---',
    `title: ${JSON.stringify(headingOf(picture))}`,
    '---',
    `flowchart ${picture.across ? 'LR' : 'TD'}`,
  ];
  const styles = new Map<string, string[]>();
  const add = (list: readonly DrawnNode[], indent: string): void => {
    for (const node of list) {
      const { key, body } = node;
      const { title, lines: more } = textOf(node);
      if (totalOf(node.counts) > 0) {
        const style = styleText(styleOf(node));
        styles.set(style, [...(styles.get(style) ?? []), key]);
      }
      if (body === undefined) lines.push(`${indent}${key}${shape(node, quoted(title, ...more))}`);
      else {
        // Mermaid leaves room for one line.
        lines.push(`${indent}subgraph ${key}[${quoted([title, ...more].join(' · '))}]`);
        add(body, `${indent}  `);
        lines.push(`${indent}end`);
      }
    }
  };
  add(nodes, '  ');
  for (const { from, to, data, labels } of edges) {
    const label = labels.length === 0 ? '' : `|${quoted(labels.join(', '))}|`;
    lines.push(`  ${from} ${data ? '-->' : '-.->'}${label} ${to}`);
  }
  for (const [i, [style, keys]] of [...styles].entries())
    lines.push(`  classDef s${i} ${style}`, `  class ${keys.join(',')} s${i}`);
  return `${lines.join('\n')}\n`;
}

function styleText({ fill, stroke, width, dash }: Style): string {
  const dashed = dash === undefined ? '' : `,stroke-dasharray:${dash}`;
  return `fill:${fill},stroke:${stroke},stroke-width:${width}px,color:${INK}${dashed}`;
}

function shape(node: DrawnNode, label: string): string {
  if (isPile(node)) return `@{ shape: procs, label: ${label} }`;
  if (node.kind === 'lattice') return `[[${label}]]`;
  if (node.kind === 'result') return `([${label}])`;
  return node.kind === 'rest' ? `>${label}]` : `[${label}]`;
}

const quoted = (...lines: readonly string[]): string => `"${lines.map(escaped).join('<br/>')}"`;

/** Mermaid reads `#…;` as a character; anything else could begin Markdown, math, an icon or HTML. */
const escaped = (text: string): string =>
  text.replaceAll(
    /[#"`<>&\\*~[\](){}|!$^:]|^[-+]|(?<=^\d+)\.|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu,
    (char) => `#${char.codePointAt(0) ?? 0};`,
  );
