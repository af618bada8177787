/**
 * Makes a bundle: the bundler for what goes as modules, the functions' own texts for the rest. Loaded only when no bundle is kept for what is asked.
 * Not here: which electrons go how, and the caches (bundle.ts).
 */
import { packagesLine, type Packages } from '../../bus/protocol/bundle-packages.ts';
import { PolaronError } from '../../model/errors.ts';
import { build, loadParser, type BuildOutput } from './build.ts';
import { sha256 } from './bundle-cache.ts';
import { codeDigests } from './code-digest.ts';
import { inlineModule, inlineText, type InlinePart, type InlineText, type Parse } from './inline.ts';
import type { Digest } from '../../model/ids.ts';
import type { Bundle, ShippedElectron } from './shipped.ts';
import { inlineComment } from './source-map.ts';

export interface PackInput {
  readonly files: readonly string[];
  /** Electrons whose text is carried; `must`: those that have no module to come from. */
  readonly texts: readonly ShippedElectron[];
  readonly must: ReadonlySet<ShippedElectron>;
  readonly onlyInline: boolean;
  readonly external: readonly string[];
  readonly packages: Packages;
  readonly shim: string;
  readonly root: string;
  readonly names: readonly string[];
  /** Of electrons by name: what their code is made of beside their module, or in place of their text. */
  readonly data: ReadonlyMap<string, string>;
}

export interface Packed extends Pick<BuildOutput, 'largest' | 'inputs'> {
  readonly bundle: Bundle;
}

const EMPTY: Omit<BuildOutput, 'code'> = {
  map: undefined,
  warnings: [],
  hints: [],
  wanted: [],
  largest: [],
  inputs: [],
  modules: [],
  imports: '',
};

/** Raises NO_SOURCE, BUNDLE_FAILED, NATIVE_ADDON. */
export async function pack({
  files,
  texts,
  must,
  onlyInline,
  external,
  packages,
  shim,
  root,
  names,
  data,
}: PackInput): Promise<Packed> {
  const parse = await loadParser();
  const parts = inlineParts(texts, must, onlyInline, parse);
  const inline = parts.length === 0 ? '' : inlineModule(parts);
  const built =
    files.length === 0
      ? { ...EMPTY, code: inline }
      : await build({ files, inline, external, packages, shim, root, names });
  const text = built.code + packagesLine(Object.fromEntries(built.wanted.map((name) => [name, packages[name] ?? '*'])));
  const codeDigest = sha256(text);
  const placed = names.filter((name) => !parts.some(({ electron }) => electron.name === name && must.has(electron)));
  const codes = codeDigests(placed, { modules: built.modules, imports: built.imports, codeDigest }, parse);
  const code = new TextEncoder().encode(text + (built.map === undefined ? '' : inlineComment(built.map)));
  return {
    bundle: {
      code,
      digest: sha256(code),
      codeDigest,
      codes: {
        ...Object.fromEntries(inlineCodes(parts, must, names, data)),
        ...Object.fromEntries([...codes].map(([name, digest]) => [name, withData(digest, data.get(name))])),
      },
      ...(built.map === undefined ? {} : { map: new TextEncoder().encode(built.map) }),
      warnings: built.warnings,
      hints: built.hints,
    },
    largest: built.largest,
    inputs: built.inputs,
  };
}

/** An electron without a module is its text or its data, and nothing else. */
function inlineCodes(
  parts: readonly InlinePart[],
  must: ReadonlySet<ShippedElectron>,
  names: readonly string[],
  data: PackInput['data'],
): [string, Digest][] {
  return parts.flatMap(({ electron: { name }, electron, text }) =>
    text.ok && must.has(electron) && names.includes(name) ? [[name, sha256(data.get(name) ?? text.expression)]] : [],
  );
}

const withData = (digest: Digest, data: string | undefined): Digest =>
  data === undefined ? digest : sha256(digest + data);

function inlineParts(
  electrons: readonly ShippedElectron[],
  must: ReadonlySet<ShippedElectron>,
  onlyInline: boolean,
  parse: Parse,
): InlinePart[] {
  return electrons.map((electron) => {
    const text = textOf(electron, parse);
    if (!text.ok && must.has(electron)) throw noSource(electron, text.uses, text.reason, onlyInline);
    return { electron, text };
  });
}

function textOf({ fn, text }: ShippedElectron, parse: Parse): InlineText {
  if (text !== undefined) return { ok: true, expression: text, shims: [] };
  return inlineText(fn, parse);
}

function noSource(
  { name, at }: ShippedElectron,
  uses: readonly string[],
  reason: string | undefined,
  onlyInline: boolean,
): PolaronError {
  const details = { electron: name, at, uses };
  if (onlyInline && uses.length > 0) {
    return new PolaronError(
      'NO_SOURCE',
      `electron '${name}' is to be sent on its own and uses ${uses.map((one) => `'${one}'`).join(', ')}, which is defined outside of it (${at}). ` +
        `Move it inside the function, pass it as an argument, or define the electron at the top level of a module and leave out code: 'inline'.`,
      { details },
    );
  }
  const where = at.replace(/:\d+$/, '');
  const why = uses.length > 0 ? `it uses: ${uses.join(', ')}` : (reason ?? 'its text cannot be read');
  return new PolaronError(
    'NO_SOURCE',
    `electron '${name}' was defined in ${where}, which is not a file, and can't be sent as a module. It also can't be sent on its own because ${why}.`,
    { details },
  );
}
