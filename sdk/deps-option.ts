/** An electron's `deps` as agents are told of them: checked here, so that a wrong one is an error in the user's process. Not here: installing them. */
import { PolaronError } from '../model/errors.ts';
import type { DepsDef } from '../model/graph.ts';
import { nearest } from './near-match.ts';

const KINDS = ['npm', 'pip', 'shell'];
const PACKAGE = /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/i;

const wrong = (where: string, what: string): PolaronError =>
  new PolaronError('USAGE', `${where}: ${what}`, {
    help: "Write deps as { npm: { sharp: '0.35.5' }, pip: ['numpy==2.1.0'], shell: ['make tool'] }.",
  });

const shown = (x: unknown): string => JSON.stringify(x) ?? String(x);

/** Undefined: nothing is to be installed. Raises USAGE. */
export function depsOf(where: string, deps: unknown): DepsDef | undefined {
  if (deps === undefined) return undefined;
  if (typeof deps !== 'object' || deps === null || Array.isArray(deps))
    throw wrong(where, `deps is ${shown(deps)}; expected an object`);
  for (const kind of Object.keys(deps)) {
    if (KINDS.includes(kind)) continue;
    const [near] = nearest(kind, KINDS);
    const meant = near === undefined ? 'there are npm, pip and shell' : `did you mean ${near}?`;
    throw wrong(where, `deps.${kind} is not known; ${meant}`);
  }
  const given: { readonly npm?: unknown; readonly pip?: unknown; readonly shell?: unknown } = deps;
  const npm = npmOf(where, given.npm);
  const pip = textsOf(where, 'pip', given.pip);
  const shell = textsOf(where, 'shell', given.shell);
  const found: DepsDef = {
    ...(npm === undefined ? {} : { npm }),
    // their order means nothing to pip
    ...(pip === undefined ? {} : { pip: [...new Set(pip)].sort() }),
    ...(shell === undefined ? {} : { shell }),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

function npmOf(where: string, npm: unknown): Readonly<Record<string, string>> | undefined {
  if (npm === undefined) return undefined;
  if (typeof npm !== 'object' || npm === null || Array.isArray(npm))
    throw wrong(where, `deps.npm is ${shown(npm)}; expected an object of package → version`);
  const entries: [string, string][] = [];
  for (const [name, version] of Object.entries(npm)) {
    if (!PACKAGE.test(name)) throw wrong(where, `deps.npm names ${shown(name)}, which is no name of a package`);
    if (typeof version !== 'string' || version.trim() === '' || /[\r\n\0]/.test(version))
      throw wrong(where, `deps.npm.${name} is ${shown(version)}; expected a version, a range or an address`);
    if (/^(?:file:)?\.\.?\//.test(version))
      throw wrong(
        where,
        `deps.npm.${name} is ${shown(version)}: an agent has no such path; give an absolute one of its machine`,
      );
    entries.push([name, version]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function textsOf(where: string, kind: 'pip' | 'shell', texts: unknown): readonly string[] | undefined {
  if (texts === undefined) return undefined;
  if (!isTexts(texts)) throw wrong(where, `deps.${kind} is ${shown(texts)}; expected an array of strings`);
  const bad = texts.find(
    (text) => text.trim() === '' || text.includes('\0') || (kind === 'pip' && /[\r\n]/.test(text)),
  );
  if (bad !== undefined) throw wrong(where, `deps.${kind} holds ${shown(bad)}; expected a line of text`);
  return texts.length === 0 ? undefined : texts;
}

const isTexts = (x: unknown): x is readonly string[] => Array.isArray(x) && x.every((text) => typeof text === 'string');
