/**
 * The Python files that travel with a lepton: its own and, of those beside it, what it imports, step by step, as its text says. What is not beside it
 * (the standard library, packages) is the agent's. Not here: how they get into a bundle (lepton-text.ts).
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import { nearest } from '../near-match.ts';

/** More files than this are no sources of one function. */
const MOST_FILES = 1_000;

export interface PythonSources {
  /** Path below the folder, with `/` → text. */
  readonly sources: Readonly<Record<string, string>>;
  /** What was read, absolute. */
  readonly files: readonly string[];
}

/** Raises LEPTON_SOURCE when the file can't be read, or defines no such function as far as its text shows. */
export function readPython(file: string, fn: string, where: string): PythonSources {
  const folder = dirname(file);
  const text = read(file, where);
  checkFunction(text, fn, file, where);
  const sources: Record<string, string> = { [basename(file)]: text };
  const files = [file];
  const queue = [basename(file)];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    for (const found of importedBy(sources[path] ?? '', path).flatMap((module) => filesOf(folder, module))) {
      if (Object.hasOwn(sources, found)) continue;
      if (files.length === MOST_FILES) {
        throw new PolaronError('LEPTON_SOURCE', `${where}: ${file} imports more than ${MOST_FILES} files beside it`, {
          help: 'Install them on the agents as a package.',
        });
      }
      sources[found] = read(join(folder, found), where);
      files.push(join(folder, found));
      queue.push(found);
    }
  }
  return { sources: Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1))), files };
}

function read(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : cause;
    throw new PolaronError('LEPTON_SOURCE', `${where}: its Python file can't be read: ${file} (${String(code)})`, {
      cause,
      details: { file },
      help: 'A path is relative to the module that defines the lepton.',
    });
  }
}

/** Only what surely isn't there is refused: a name may also come by an import of everything, or be set in some other way that mentions it. */
function checkFunction(text: string, fn: string, file: string, where: string): void {
  const [name = fn] = fn.split('.');
  if (/^\s*from\s+\S+\s+import\s+\*/m.test(text) || /\bglobals\(\)|\bexec\(/.test(text)) return;
  const defined = [...text.matchAll(/^\s*(?:async\s+)?(?:def|class)\s+(\w+)/gm)].flatMap(([, one]) => one ?? []);
  if (defined.includes(name)) return;
  // assigned, or imported
  if (
    new RegExp(
      `^\\s*(?:${name}\\b.*=|(?:from|import)\\b.*\\b${name}\\b)|^[\\s(]*${name}\\s*,?\\s*\\)?\\s*(?:#.*)?$`,
      'mu',
    ).test(text)
  )
    return;
  const near = nearest(name, defined);
  const hint = near.length === 0 ? '' : `; did you mean ${near.map((one) => `"${one}"`).join(' or ')}?`;
  throw new PolaronError('LEPTON_SOURCE', `${where}: ${file} defines no "${name}"${hint}`, {
    details: { file, function: fn, defined },
  });
}

/** Dotted names of what a file may import from the folder; of `from a import b` both `a` and `a.b`. */
function importedBy(text: string, path: string): string[] {
  const found: string[] = [];
  for (const [, list = ''] of text.matchAll(/^[^\S\n]*import[^\S\n]+([\w.,\s]+?)[^\S\n]*(?:#.*|;.*)?$/gm)) {
    for (const one of list.split(',')) found.push(one.trim().split(/\s/)[0] ?? '');
  }
  const froms = /^[^\S\n]*from[^\S\n]+(\.*)([\w.]*)[^\S\n]+import[^\S\n]+(?:\(([^)]*)\)|([^\n;]*))/gm;
  for (const [, dots = '', module = '', many, one] of text.matchAll(froms)) {
    const base = [...packageOf(path, dots), ...module.split('.')].filter((part) => part !== '').join('.');
    const names = (many ?? one ?? '').replaceAll(/#.*/g, '').split(',');
    if (base !== '') found.push(base);
    for (const name of names)
      found.push([base, name.trim().split(/\s/)[0] ?? ''].filter((part) => part !== '').join('.'));
  }
  return found.filter((name) => /^[\p{ID_Continue}.]+$/u.test(name));
}

/** What `.`, `..`, … mean in a file: its package, the one around that, … */
function packageOf(path: string, dots: string): readonly string[] {
  if (dots === '') return [];
  const folders = path.split('/').slice(0, -1);
  return folders.slice(0, Math.max(0, folders.length - dots.length + 1));
}

/** The files of a module and of the packages around it, as far as they lie in the folder. */
function filesOf(folder: string, module: string): string[] {
  const parts = module.split('.');
  return parts.flatMap((_, i) => {
    const path = parts.slice(0, i + 1).join('/');
    return [`${path}/__init__.py`, `${path}.py`].filter((file) => isFile(join(folder, file)));
  });
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
