import { describe, expect, it } from 'vitest';
import { readSource } from '../house/sources.ts';
import { edited } from '../fault/mutate/mutation.ts';
import { mutations } from '../fault/mutate/mutations.ts';
import { promises } from '../fault/simulation/promise.ts';
import { plain, readPage, tableOf } from './pages.ts';

const page = readPage('docs/guarantees.md');

describe('docs/guarantees.md', () => {
  it('names every promise that the simulation judges', () => {
    const named = new Set(
      tableOf(page, 'promise').rows.flatMap((row) => (row[2] ?? '').match(/(?<=`)[a-z]+(?=`)/g) ?? []),
    );
    expect([...named].sort()).toEqual(Object.keys(promises).sort());
  });

  it('lists the mutations, what each does and which run must catch it', () => {
    const listed = tableOf(page, 'mutation').rows.map(([id, breaks, run]) => [plain(id), breaks, plain(run)]);
    expect(listed).toEqual(mutations.map(({ id, breaks, caughtBy }) => [id, breaks, caughtBy]));
    expect(mutations.length).toBeGreaterThanOrEqual(12);
  });

  it.each(mutations.flatMap(({ id, edits }) => edits.map((edit) => ({ id, edit }))))(
    'finds the place of the mutation $id',
    ({ edit }) => {
      const text = readSource(edit.file);
      expect(edited(text, edit)).not.toBe(text);
    },
  );
});
