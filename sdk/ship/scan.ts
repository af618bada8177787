/**
 * What a user's module reads at load that may differ on an agent, where the module is evaluated again: the environment, the command line, the
 * working folder, files next to the module, random numbers, the time. Only reads that end up in a variable which some function uses are told;
 * options of an electron (`env: { A: process.env.A }`) are read here only. The capture check (bus/capture.ts) is the guard; this is the early word.
 */
import { child, children, isFunctionNode, lineOf, list, patternNames, text, type AstNode } from './ast.ts';

export interface TopLevelRead {
  readonly line: number;
  /** As written, e.g. `process.env.MY_T`. */
  readonly what: string;
  readonly kind: 'env' | 'argv' | 'cwd' | 'file' | 'random' | 'time';
}

/** Worth parsing? */
export const mayRead = (source: string): boolean =>
  /process\s*\.|import\.meta|__dirname|__filename|Math\s*\.\s*random|\bDate\b|randomUUID/.test(source);

interface Found {
  readonly node: AstNode;
  readonly kind: TopLevelRead['kind'];
}

/** Their option objects are read in this process only. */
const SKIPPED_CALLEES = new Set(['electron', 'lattice', 'defaults', 'with']);
const isFunctionLike = (node: AstNode): boolean => isFunctionNode(node) || node.type.startsWith('Class');

function memberPath(node: AstNode): string | undefined {
  if (node.type === 'Identifier') return text(node, 'name');
  if (node.type === 'MetaProperty') return 'import.meta';
  if (node.type !== 'MemberExpression') return undefined;
  const object = child(node, 'object');
  const property = child(node, 'property');
  const base = object === undefined ? undefined : memberPath(object);
  if (base === undefined || property === undefined) return undefined;
  if (node['computed'] !== true) return `${base}.${text(property, 'name') ?? ''}`;
  const key = property['value'];
  return typeof key === 'string' ? `${base}.${key}` : typeof key === 'number' ? `${base}[${key}]` : `${base}[]`;
}

/** What this very node reads, if anything. */
function kindOf(node: AstNode): TopLevelRead['kind'] | undefined {
  const path = memberPath(node);
  if (path !== undefined) {
    if (path === 'process.env' || path.startsWith('process.env.') || path === 'process.env[]') return 'env';
    // argv[2] and up are sent with the dispatch.
    if (
      path === 'process.argv' ||
      path === 'process.argv[0]' ||
      path === 'process.argv[1]' ||
      path === 'process.argv[]'
    )
      return 'argv';
    if (['__dirname', '__filename', 'import.meta.dirname', 'import.meta.filename', 'import.meta.url'].includes(path))
      return 'file';
    return undefined;
  }
  const callee = child(node, 'callee');
  const called = callee === undefined ? undefined : memberPath(callee);
  if (called === 'process.cwd') return 'cwd';
  if (called === 'Math.random' || called === 'crypto.randomUUID' || called === 'randomUUID') return 'random';
  if (called === 'Date.now' || called === 'performance.now') return 'time';
  if (called === 'Date' && list(node, 'arguments').length === 0) return 'time';
  return undefined;
}

/** `process.argv.slice(2)` and `process.argv[2]` are the same on the agent. */
function isSentArgv(node: AstNode): boolean {
  if (node.type !== 'MemberExpression' && node.type !== 'CallExpression') return false;
  const path = memberPath(node);
  if (path !== undefined) return /^process\.argv\[(?:[2-9]|\d\d+)\]/.test(path);
  const callee = child(node, 'callee');
  if (callee === undefined || memberPath(callee) !== 'process.argv.slice') return false;
  const from = list(node, 'arguments')[0]?.['value'];
  return typeof from === 'number' && from >= 2;
}

function collect(node: AstNode, into: Found[]): void {
  if (isFunctionLike(node) || isSentArgv(node)) return;
  const kind = kindOf(node);
  if (kind !== undefined) {
    into.push({ node, kind });
    return;
  }
  const callee = child(node, 'callee');
  const name = callee === undefined ? undefined : memberPath(callee)?.split('.').at(-1);
  if (name === 'createRequire') return;
  const skipOptions = name !== undefined && SKIPPED_CALLEES.has(name);
  for (const part of children(node)) if (!(skipOptions && part.type === 'ObjectExpression')) collect(part, into);
}

/** All identifiers below a node, those of nested functions apart. */
function identifiers(node: AstNode, own: Set<string>, nested: Set<string>, inside = false): void {
  if (node.type === 'Identifier') {
    const name = text(node, 'name');
    if (name !== undefined) (inside ? nested : own).add(name);
    return;
  }
  const skipped =
    node['computed'] === true ? undefined : child(node, node.type === 'MemberExpression' ? 'property' : 'key');
  const deeper = inside || isFunctionLike(node);
  for (const part of children(node)) {
    if (part === skipped && node['shorthand'] !== true) continue;
    identifiers(part, own, nested, deeper);
  }
}

interface Declaration {
  readonly names: ReadonlySet<string>;
  readonly uses: ReadonlySet<string>;
  readonly reads: readonly Found[];
}

/** Reads of one module, in order. `root` is its Program. */
export function topLevelReads(root: AstNode, source: string): TopLevelRead[] {
  const declarations: Declaration[] = [];
  const needed = new Set<string>();
  for (const statement of list(root, 'body')) {
    const exported = statement.type.startsWith('Export') ? child(statement, 'declaration') : undefined;
    const declaration = exported ?? statement;
    if (declaration.type !== 'VariableDeclaration') {
      identifiers(statement, new Set(), needed);
      continue;
    }
    for (const declarator of list(declaration, 'declarations')) {
      const id = child(declarator, 'id');
      const init = child(declarator, 'init');
      if (id === undefined || init === undefined) continue;
      const names = patternNames(id);
      const uses = new Set<string>();
      identifiers(init, uses, needed);
      const reads: Found[] = [];
      collect(init, reads);
      declarations.push({ names, uses, reads });
      if (exported !== undefined) for (const name of names) needed.add(name);
    }
  }
  return toldReads(declarations, needed).map(({ node, kind }) => ({
    line: lineOf(source, node.start),
    what: source.slice(node.start, node.end).replaceAll(/\s+/g, ' ').slice(0, 60),
    kind,
  }));
}

/** Those of declarations that a function uses, be it through other declarations. */
function toldReads(declarations: readonly Declaration[], needed: Set<string>): Found[] {
  const told = new Set<Declaration>();
  for (let grown = true; grown; ) {
    grown = false;
    for (const declaration of declarations) {
      if (told.has(declaration) || ![...declaration.names].some((name) => needed.has(name))) continue;
      told.add(declaration);
      for (const name of declaration.uses) needed.add(name);
      grown = true;
    }
  }
  return declarations.filter((one) => told.has(one)).flatMap((one) => one.reads);
}

/** The warning as people read it; `file` relative to their folder. */
export function warningOf(file: string, read: TopLevelRead): string {
  const at = `${file}:${read.line}`;
  if (read.kind === 'env') {
    const name = /(?:env\.|env\[["'])([\w$]+)/.exec(read.what)?.[1];
    const declare = name === undefined ? '' : ` or declare env: { ${name}: ... }`;
    return `${at} reads ${read.what} when the module is loaded; it is read again on the agent. Pass it as an argument${declare}.`;
  }
  if (read.kind === 'file') {
    return `${at} uses ${read.what} when the module is loaded; on the agent the module is part of a bundle, and files next to it are not there. Import the file, or read it before dispatch() and pass it as an argument.`;
  }
  return `${at} reads ${read.what} when the module is loaded; it is read again on the agent and gives another value there. Pass it as an argument.`;
}
