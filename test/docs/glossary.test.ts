import { describe, expect, it } from 'vitest';
import { firstColumn, readPage } from './pages.ts';

describe('docs/glossary.md', () => {
  it('has each word once, in order', () => {
    const words = firstColumn(readPage('docs/glossary.md'), 'word').map((word) => word.toLowerCase());
    expect(words).toEqual([...new Set(words)].sort((a, b) => a.localeCompare(b, 'en')));
    expect(words).toEqual(
      expect.arrayContaining(['electron', 'lattice', 'fencing token', 'lease', 'spool', 'transport graph']),
    );
  });
});
