/**
 * The code blocks of a page, and how each is meant to be checked. Not responsible for checking them.
 *
 * - A block that imports from polaron is a **program**: it is followed by a `text` block with what it prints (`…` there stands for anything within a line), or it has a file name.
 * - A block with a file name (` ```ts steps.ts `) is a file beside the page's programs; `*.test.ts` is run as a test; `examples/…` is that file of the repository.
 * - Any other `ts` block is a **fragment**: it is only type-checked, and gets the names of polaron without importing them. What else it needs stands before it in a comment that readers don't see:
 *   `<!-- with`, declarations, `-->`, each on lines of their own.
 * - `needs=python3` after the language: run only where that command is.
 */
export interface CodeBlock {
  readonly language: string;
  /** As written after the language. */
  readonly file: string | undefined;
  readonly needs: string | undefined;
  readonly code: string;
  /** Line of the page on which the code begins, from 1. */
  readonly line: number;
  /** Lines of the comment before it, with the first's number. */
  readonly setup: { readonly line: number; readonly code: string } | undefined;
  /** The `text` block that comes next: what a program prints. */
  readonly prints: string | undefined;
}

/** All code blocks of a page, in order. Raises Error for an info string that nobody understands, and a fence without an end. */
export function codeBlocks(page: string): CodeBlock[] {
  const lines = page.split('\n');
  const found: CodeBlock[] = [];
  let setup: CodeBlock['setup'];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line === '<!-- with') {
      const end = endOf(lines, at, '-->');
      setup = { line: at + 2, code: lines.slice(at + 1, end).join('\n') };
      at = end;
    } else if (line.startsWith('```')) {
      const end = endOf(lines, at, '```');
      const code = `${lines.slice(at + 1, end).join('\n')}\n`;
      found.push({ ...infoOf(line.slice(3), at + 1), code, line: at + 2, setup, prints: undefined });
      setup = undefined;
      at = end;
    }
  }
  return found.map((block, index) => {
    const next = found[index + 1];
    return next?.language === 'text' ? { ...block, prints: next.code } : block;
  });
}

function endOf(lines: readonly string[], from: number, mark: string): number {
  const end = lines.indexOf(mark, from + 1);
  if (end < 0) throw new Error(`line ${from + 1}: ${lines[from] ?? ''} has no ${mark} below it`);
  return end;
}

function infoOf(info: string, line: number): Pick<CodeBlock, 'language' | 'file' | 'needs'> {
  const [language = '', ...rest] = info.split(' ');
  const needs = rest.find((word) => word.startsWith('needs='))?.slice('needs='.length);
  const file = rest.find((word) => /^[\w./-]+\.\w+$/.test(word));
  if (rest.length !== [needs, file].filter((word) => word !== undefined).length)
    throw new Error(`line ${line}: what does \`\`\`${info} mean?`);
  return { language, file, needs };
}

/** The page with everything blank but the block and its setup, so that a line of an error is a line of the page. */
export function inPlace(block: CodeBlock): string {
  const lines: string[] = [];
  const put = (line: number, code: string): void => {
    while (lines.length < line - 1) lines.push('');
    lines.push(...code.trimEnd().split('\n'));
  };
  if (block.setup !== undefined) put(block.setup.line, block.setup.code);
  put(block.line, block.code);
  return `${lines.join('\n')}\n`;
}

export const importsPolaron = ({ code }: CodeBlock): boolean => /\bfrom 'polaron(\/[a-z]+)?'/.test(code);

/** Whether what was printed is what the page says. */
export function printed(said: string, output: string): boolean {
  const pattern = said
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${pattern}$`).test(output);
}
