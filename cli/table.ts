/** Aligned columns for people. */

export interface Cell {
  readonly text: string;
  /** Shown instead of `text`; its escapes take no room. */
  readonly shown?: string;
}

export interface Column {
  readonly title: string;
  /** Numbers stand right. @default false */
  readonly right?: boolean;
}

/** Lines of a table: the titles, then a line per row. Columns are as wide as their widest cell. */
export function table(columns: readonly Column[], rows: readonly (readonly (Cell | string)[])[]): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? { text: cell } : cell)));
  const head = columns.map(({ title }) => ({ text: title }));
  const widths = columns.map((_, i) => Math.max(...[head, ...cells].map((row) => row[i]?.text.length ?? 0)));
  return [head, ...cells].map((row: readonly Cell[]) =>
    columns
      .map((column, i) => {
        const { text, shown } = row[i] ?? { text: '' };
        const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - text.length));
        return column.right === true ? space + (shown ?? text) : (shown ?? text) + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `name  value` lines with the names aligned; pairs without a value are left out. */
export function fields(pairs: readonly (readonly [name: string, value: string | undefined])[]): readonly string[] {
  const present = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
