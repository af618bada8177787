/** Finds the repository's own TypeScript and what each file imports. Not responsible for what is allowed. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const skipped = new Set(['node_modules', 'dist', '.git', '.cache', 'fixtures']);

export interface Import {
  /** As written: `../model/ids.ts`, `lmdb`, `node:fs`. */
  readonly specifier: string;
  /** Path from the repository's root, when the import is relative. */
  readonly target?: string;
  readonly typeOnly: boolean;
  /** `import(…)`: a module loaded when that is reached, or a type. */
  readonly call: boolean;
  readonly line: number;
}

/** Paths of all TypeScript files, from the root, with `/`. */
export function sourceFiles(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skipped.has(entry.name) || entry.name.startsWith('dist.') ? [] : sourceFiles(path);
    return /\.(ts|tsx|mts)$/.test(entry.name) ? [path] : [];
  });
}

export function readSource(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every static, dynamic and `import('…')` type import, and every `export … from`. */
export function importsOf(path: string, text = readSource(path)): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const statement = /(?:^|[;}\n])\s*(import|export)\s+(type\s+)?(?:[\w*{][^;'"`()=]*?\sfrom\s*)?(['"])([^'"\n]+)\3/g;
  const call = /\bimport\s*\(\s*(['"])([^'"\n]+)\1/g;
  for (const match of code.matchAll(statement)) {
    const line = lineAt(code, match.index + match[0].length);
    found.push({ ...named(path, match[4] ?? ''), typeOnly: match[2] !== undefined, call: false, line });
  }
  for (const match of code.matchAll(call)) {
    found.push({ ...named(path, match[2] ?? ''), typeOnly: false, call: true, line: lineAt(code, match.index) });
  }
  return found;
}

const lineAt = (code: string, offset: number): number => code.slice(0, offset).split('\n').length;

function named(path: string, specifier: string): Pick<Import, 'specifier' | 'target'> {
  return specifier.startsWith('.') ? { specifier, target: normalize(join(dirname(path), specifier)) } : { specifier };
}

/** Blanks out comments, templates and quoted text that is no specifier, and keeps the lines. */
function withoutComments(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
  return text.replace(token, (match) => {
    const isSpecifier = /^(['"])[^\s();]+\1$/.test(match);
    return isSpecifier ? match : match.replaceAll(/[^\n]/g, ' ');
  });
}
