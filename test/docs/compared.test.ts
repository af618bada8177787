/** docs/compared.md names what shows each row: files that exist, and titles that stand in them. That those pass is for the whole suite. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSource, root } from '../house/sources.ts';
import { readPage, tables } from './pages.ts';

interface Row {
  readonly covalent: string;
  readonly polaron: string;
  readonly shown: string;
}
const rows: readonly Row[] = tables(readPage('docs/compared.md')).flatMap(({ rows: all }) =>
  all.map(([covalent = '', polaron = '', shown = '']) => ({ covalent, polaron, shown })),
);
/** `path` "title"; `path` */
const proofs = (shown: string): { readonly path: string; readonly title: string | undefined }[] =>
  [...shown.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)].map(([, path = '', title]) => ({ path, title }));

describe('the comparison', () => {
  it('shows each row by a file that exists, or says that there is nothing', () => {
    expect(rows.length).toBeGreaterThan(50);
    const empty = rows.filter(({ polaron, shown }) =>
      proofs(shown).length === 0 ? !/^nothing( yet)?$/.test(shown) || !polaron.startsWith('**no**') : false,
    );
    expect(empty.map(({ covalent }) => covalent)).toEqual([]);
    const missing = rows.flatMap(({ shown }) => proofs(shown).filter(({ path }) => !existsSync(join(root, path))));
    expect(missing).toEqual([]);
  });

  it('names tests that there are', () => {
    const gone = rows.flatMap(({ shown }) =>
      proofs(shown).filter(({ path, title }) => title !== undefined && !readSource(path).includes(title)),
    );
    expect(gone).toEqual([]);
  });
});
