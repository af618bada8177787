import { describe, expect, it } from 'vitest';
import { errorTable } from '../../model/error-table.ts';
import { plain, readPage, tables } from './pages.ts';

const rows = tables(readPage('docs/errors.md')).flatMap(({ head, rows: found }) => (head[0] === 'code' ? found : []));
const documented = new Map(
  rows.map(([code, when, retryable, meaning, remedy]) => [plain(code), { when, retryable, meaning, remedy }]),
);

describe('docs/errors.md', () => {
  it('has every code of the table once, and no other', () => {
    expect(rows.map(([code]) => plain(code)).sort()).toEqual(Object.keys(errorTable).sort());
  });

  it('says of each code what the table says', () => {
    const coded = Object.entries(errorTable).map(([code, { when, retryable, meaning, remedy }]) => [
      code,
      { when, retryable: retryable ? 'yes' : 'no', meaning, remedy },
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(coded));
  });
});
