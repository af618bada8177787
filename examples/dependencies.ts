/**
 * The most frequent words of a text, counted by a program that each agent makes for itself, once. A hook opens what the electron needs, another one closes.
 *
 *     npx tsx examples/dependencies.ts
 */
import { execFileSync } from 'node:child_process';
import { context, dispatch, electron, getValue, lattice } from 'polaron';

/** Stands for a compiler's run or a download: whatever ends up in `bin/` is on the electron's PATH. */
const tools = {
  shell: [
    `printf '#!/bin/sh\\nsort | uniq -c | sort -rn | head -n "$1"\\n' > bin/most-frequent`,
    'chmod +x bin/most-frequent',
  ],
};

function openStopWords(language: string): ReadonlySet<string> {
  return new Set(language === 'en' ? ['a', 'and', 'of', 'the'] : []);
}

const frequentWords = electron(
  {
    deps: tools,
    env: { LC_ALL: 'C' },
    before: [{ run: openStopWords, args: ['en'], as: 'stopWords' }],
    after: [{ run: () => console.log('counted') }],
  },
  function frequentWords(text: string, count: number): string[] {
    const { stopWords } = context().injected;
    if (!(stopWords instanceof Set)) throw new TypeError('the hook gave no stop words');
    const words = (text.toLowerCase().match(/[a-z]+/g) ?? []).filter((word) => !stopWords.has(word));
    const options = { input: words.map((word) => `${word}\n`).join(''), encoding: 'utf8' } as const;
    const lines = execFileSync('most-frequent', [String(count)], options)
      .trim()
      .split('\n');
    return lines.map((line) => line.trim());
  },
);

export const summary = lattice(function summary(text: string) {
  return frequentWords(text, 2);
});

const id = await dispatch(summary)('The river and the sea: a river, a river of rivers, the sea and the wind');
console.log(`dispatch ${id}`);
console.log(await getValue(id));
