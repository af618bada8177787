/**
 * Makes a bundle: the bundler for what goes as modules, the functions' own texts for the rest. Loaded only when no bundle is kept for what is asked.
 * Not here: which electrons go how, and the caches (bundle.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import { build, loadParser, type BuildOutput } from './build.ts';
import { sha256 } from './bundle-cache.ts';
import { inlineModule, inlineText, type InlinePart } from './inline.ts';
import type { Bundle, ShippedElectron } from './shipped.ts';
import { inlineComment } from './source-map.ts';

export interface PackInput {
  readonly files: readonly string[];
  /** Electrons whose text is carried; `must`: those that have no module to come from. */
  readonly texts: readonly ShippedElectron[];
  readonly must: ReadonlySet<ShippedElectron>;
  readonly onlyInline: boolean;
  readonly external: readonly string[];
  readonly shim: string;
  readonly root: string;
  readonly names: readonly string[];
}

export interface Packed extends Pick<BuildOutput, 'largest' | 'inputs'> {
  readonly bundle: Bundle;
}

const EMPTY: Omit<BuildOutput, 'code'> = { map: undefined, warnings: [], hints: [], largest: [], inputs: [] };

/** Raises NO_SOURCE, BUNDLE_FAILED, NATIVE_ADDON. */
export async function pack({
  files,
  texts,
  must,
  onlyInline,
  external,
  shim,
  root,
  names,
}: PackInput): Promise<Packed> {
  const inline = texts.length === 0 ? '' : inlineModule(await inlineParts(texts, must, onlyInline));
  const built =
    files.length === 0 ? { ...EMPTY, code: inline } : await build({ files, inline, external, shim, root, names });
  const code = new TextEncoder().encode(built.code + (built.map === undefined ? '' : inlineComment(built.map)));
  return {
    bundle: {
      code,
      digest: sha256(code),
      codeDigest: sha256(built.code),
      ...(built.map === undefined ? {} : { map: new TextEncoder().encode(built.map) }),
      warnings: built.warnings,
      hints: built.hints,
    },
    largest: built.largest,
    inputs: built.inputs,
  };
}

async function inlineParts(
  electrons: readonly ShippedElectron[],
  must: ReadonlySet<ShippedElectron>,
  onlyInline: boolean,
): Promise<InlinePart[]> {
  const parse = await loadParser();
  return electrons.map((electron) => {
    const text = inlineText(electron.fn, parse);
    if (!text.ok && must.has(electron)) throw noSource(electron, text.uses, text.reason, onlyInline);
    return { electron, text };
  });
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
