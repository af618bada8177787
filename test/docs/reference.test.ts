/** The reference is made from docstrings: it is fresh, and they say what they should. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isErrorCode } from '../../model/error-table.ts';
import { publicExports, referencePages } from '../../scripts/reference.mjs';
import { root } from '../house/sources.ts';

const folder = join(root, 'docs/reference');
const all = publicExports().flatMap(({ name: entry, exports }) =>
  exports.map((found) => ({ ...found, at: `${entry}: ${found.name}` })),
);

describe('the reference', () => {
  it('is what `npm run docs` writes', () => {
    const pages = referencePages();
    expect(readdirSync(folder).sort()).toEqual(pages.map(({ file }) => file).sort());
    for (const { file, text } of pages) expect(readFileSync(join(folder, file), 'utf8')).toBe(text);
  });

  it('has a docstring for every export, and for every member of what workflows and tests are written with', () => {
    // Executors are written against `polaron/executor`, which is types that the agent has too; `defineExecutor` comes with a later version.
    const silent = all.flatMap(({ at, doc, members }) => [
      ...(doc === '' ? [at] : []),
      ...(at.startsWith('polaron/executor') ? [] : members)
        .filter((member) => member.doc === '' && member.name !== '()')
        .map(({ name }) => `${at}.${name}`),
    ]);
    expect(silent).toEqual([]);
  });

  it('says of every function what it raises, by codes that there are', () => {
    const functions = all.filter(
      ({ kind, text }) => kind === 'value' && !text.startsWith('class') && text !== 'const onAgent: boolean',
    );
    expect(functions.map(({ name }) => name)).toContain('dispatch');
    expect(functions.filter(({ doc }) => !/\bRaises\b/.test(doc)).map(({ at }) => at)).toEqual([]);
    const codes = all.flatMap(({ at, doc }) =>
      [...doc.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)]
        .map(([code]) => ({ at, code }))
        .filter(({ code }) => !code.startsWith('POLARON_')),
    );
    expect(codes.filter(({ code }) => !isErrorCode(code))).toEqual([]);
  });
});
