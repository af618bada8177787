/** Reads the documentation for the tests: its pages, tables and links. Not responsible for what they should say. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../house/sources.ts';

/** Paths of all pages, from the root. */
export function pages(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].sort();
}

export const readPage = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The part of a page under a heading, up to the next heading of the same level or a higher one. Raises Error when there is none. */
export function section(page: string, title: string): string {
  const lines = withoutCode(page).split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === title);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length;
  if (level === undefined) throw new Error(`no heading ${JSON.stringify(title)}`);
  const length = lines.slice(start + 1).findIndex((line) => (/^#+(?= )/.exec(line)?.[0].length ?? 7) <= level);
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n');
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Every table of a text, in order. */
export function tables(text: string): Table[] {
  const found: Table[] = [];
  let open: string[][] = [];
  for (const line of [...text.split('\n'), '']) {
    if (line.startsWith('|')) {
      open.push(cells(line));
      continue;
    }
    const [head, , ...rows] = open;
    if (head !== undefined) found.push({ head, rows });
    open = [];
  }
  return found;
}

/** The one table whose first column is called `first`. Raises Error when there isn't exactly one. */
export function tableOf(text: string, first: string): Table {
  const [one, ...more] = tables(text).filter(({ head }) => head[0] === first);
  if (one === undefined || more.length > 0)
    throw new Error(`${more.length + (one === undefined ? 0 : 1)} tables of ${first}`);
  return one;
}

const cells = (line: string): string[] =>
  line
    .trim()
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/** A cell without the backticks around it. */
export const plain = (cell: string | undefined): string => (cell ?? '').replace(/^`(.*)`$/, '$1');

/** The first column of the table that begins with the column `first`, without backticks. */
export const firstColumn = (text: string, first: string): string[] =>
  tableOf(text, first).rows.map(([cell]) => plain(cell));

/** The same lines, those of code blocks empty. */
function withoutCode(page: string): string {
  let inside = false;
  return page
    .split('\n')
    .map((line) => {
      const fence = line.startsWith('```');
      if (fence) inside = !inside;
      return inside || fence ? '' : line;
    })
    .join('\n');
}

export interface Link {
  readonly page: string;
  readonly target: string;
}

/** Relative links of a page; those to other sites are left out. */
export function relativeLinks(path: string, text = readPage(path)): Link[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) =>
    /^[a-z]+:/.test(target) ? [] : [{ page: path, target }],
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
export const anchors = (text: string): string[] =>
  withoutCode(text)
    .split('\n')
    .flatMap((line) => {
      const title = /^#+ (.*)$/.exec(line)?.[1];
      if (title === undefined) return [];
      return [
        title
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      ];
    });
