/** How the code blocks of a page are read: what is checked there, and how, is guides.test.ts. */
import { describe, expect, it } from 'vitest';
import { codeBlocks, importsPolaron, inPlace, printed } from './code-blocks.ts';

const page = `# A page

\`\`\`ts
import { electron } from 'polaron';
\`\`\`

It prints:

\`\`\`text
id … and more (a.b)
\`\`\`

<!-- with
declare const url: string;
-->
\`\`\`ts
await fetch(url);
\`\`\`

\`\`\`python clean.py needs=python3
def clean(): pass
\`\`\`
`;

describe('the code blocks of a page', () => {
  const [program, text, fragment, file] = codeBlocks(page);

  it('are programs with their output, fragments with what they need, and files', () => {
    expect(program).toMatchObject({ language: 'ts', line: 4, prints: 'id … and more (a.b)\n', setup: undefined });
    expect(text).toMatchObject({ language: 'text', prints: undefined });
    expect(fragment).toMatchObject({ setup: { line: 14, code: 'declare const url: string;' }, prints: undefined });
    expect(file).toMatchObject({ language: 'python', file: 'clean.py', needs: 'python3', setup: undefined });
    expect([program, fragment].map((block) => block !== undefined && importsPolaron(block))).toEqual([true, false]);
  });

  it('keep the lines of the page, so that an error names them', () => {
    const lines = fragment === undefined ? [] : inPlace(fragment).split('\n');
    expect([lines[13], lines[16]]).toEqual(['declare const url: string;', 'await fetch(url);']);
    expect(lines.filter((line) => line !== '')).toHaveLength(2);
  });

  it('say what is printed to the letter, but for …', () => {
    expect(printed('id … and more (a.b)\n', 'id 7f and more (a.b)\n')).toBe(true);
    expect(printed('id … and more (a.b)\n', 'id 7f and more (a-b)\n')).toBe(false);
    expect(printed('id … and more\n', 'id 7f\n and more\n')).toBe(false);
    expect(printed('id\n', 'id\nid\n')).toBe(false);
  });

  it('are refused with the line when a mark is unknown or an end is missing', () => {
    expect(() => codeBlocks('a\n```ts run\n```')).toThrow('line 2: what does ```ts run mean?');
    expect(() => codeBlocks('```ts\na')).toThrow('line 1: ```ts has no ``` below it');
  });
});
