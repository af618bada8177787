/**
 * `--set name=value` on a lattice's old arguments: by the name or number of a parameter, or a property of the one keyword object.
 * Not here: where the old arguments come from, and what is done with the new ones (redispatch.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import { nearest } from '../near-match.ts';
import { child, list, text, type AstNode } from '../ship/ast.ts';

export interface Setting {
  readonly name: string;
  readonly value: unknown;
}

/** What a lattice's text says of its parameters: their names, and those of the properties where one is taken apart. */
export interface Parameters {
  readonly names: readonly (string | undefined)[];
  readonly properties: readonly string[];
}

/** `name=value`: JSON, or else the text as it is. Raises USAGE. */
export function settingOf(text: string): Setting {
  const [, name, value] = /^([\w$]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new PolaronError('USAGE', `--set ${text}: expected name=value`, { help: 'For example --set alpha=0.3.' });
  try {
    return { name, value: JSON.parse(value) };
  } catch {
    return { name, value };
  }
}

/** The parameters in a function's source; none when it can't be read. */
export async function parametersOf(source: string): Promise<Parameters> {
  const { loadParser } = await import('../ship/build.ts');
  const parse = await loadParser();
  const fn = functionIn(parse, `(${source})`) ?? functionIn(parse, `({${source}})`);
  const parts: readonly AstNode[] = fn === undefined ? [] : list(fn, 'params').map(patternOf);
  const [only] = parts;
  const properties =
    parts.length === 1 && only?.type === 'ObjectPattern'
      ? list(only, 'properties').flatMap((property) => text(child(property, 'key'), 'name') ?? [])
      : [];
  return { names: parts.map((part) => text(part, 'name')), properties };
}

function functionIn(parse: (source: string, file?: string) => AstNode, source: string): AstNode | undefined {
  try {
    const [statement] = list(parse(source, 'lattice.ts'), 'body');
    let at = statement === undefined ? undefined : child(statement, 'expression');
    while (at?.type === 'ParenthesizedExpression') at = child(at, 'expression');
    const [method] = at?.type === 'ObjectExpression' ? list(at, 'properties') : [];
    return method === undefined ? at : child(method, 'value');
  } catch {
    return undefined; // a text that was cut
  }
}

/** A parameter without its default value. */
const patternOf = (part: AstNode): AstNode =>
  part.type === 'AssignmentPattern' ? (child(part, 'left') ?? part) : part;

/** The arguments with these in them. Raises USAGE, naming what there is. */
export function withSettings(
  args: readonly unknown[],
  settings: readonly Setting[],
  { names, properties }: Parameters,
): readonly unknown[] {
  const made = [...args];
  for (const { name, value } of settings) {
    const index = /^\d+$/.test(name) ? Number(name) : names.indexOf(name);
    if (index >= 0 && index < Math.max(made.length, names.length)) {
      made[index] = value;
      continue;
    }
    const known = [...properties, ...(isPlain(made[0]) && made.length === 1 ? Object.keys(made[0]) : [])];
    if (!known.includes(name)) throw unknown(name, [...names.flatMap((one) => one ?? []), ...known]);
    made[0] = { ...(isPlain(made[0]) ? made[0] : {}), [name]: value };
  }
  return made;
}

const isPlain = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype;

function unknown(name: string, known: readonly string[]): PolaronError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  return new PolaronError('USAGE', `the lattice has no parameter or property "${name}"${hint}`, {
    help:
      known.length === 0 ? 'Use the number of the argument, from 0 on.' : `It has ${[...new Set(known)].join(', ')}.`,
  });
}
