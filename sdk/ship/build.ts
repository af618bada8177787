/** Runs the bundler once: files in, one ES module and its source map out. Loaded lazily, since the bundler's binding takes 100 ms and more. */
import { basename, dirname, extname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { RolldownError } from 'rolldown';
import { PolaronError } from '../../model/errors.ts';
import { isNode, type AstNode } from './ast.ts';
import { nearest, packageFolder } from './native.ts';
import { ENTRY_ID, shipPlugin, type PluginFindings, type PluginInput } from './plugin.ts';
import type { NativeHint } from './shipped.ts';
import { mebibytes, shortList } from './shown.ts';
import type { RenderedModule } from './code-digest.ts';
import { isSdkFile, shippedMap, shownPath } from './source-map.ts';

export interface BuildInput extends Omit<PluginInput, 'parse'> {
  /** Names of the electrons, for messages. */
  readonly names: readonly string[];
}

export interface BuildOutput {
  readonly code: string;
  readonly map: string | undefined;
  readonly warnings: readonly string[];
  readonly hints: readonly NativeHint[];
  /** Those of `packages` without which it can't be loaded. */
  readonly wanted: readonly string[];
  /** The three largest parts (packages, or user files), with their bytes; for BUNDLE_TOO_LARGE. */
  readonly largest: readonly string[];
  /** Every file that the output depends on. */
  readonly inputs: readonly string[];
  /** What `code` was made of, before it was minified. */
  readonly modules: readonly RenderedModule[];
  readonly imports: string;
}

type Lang = 'js' | 'jsx' | 'ts' | 'tsx';
const langOf = (file: string): Lang => {
  const extension = extname(file);
  if (extension === '.tsx') return 'tsx';
  if (extension.includes('ts')) return 'ts';
  return extension === '.jsx' ? 'jsx' : 'js';
};

/** The bundler's parser. */
export async function loadParser(): Promise<(source: string, file?: string) => AstNode> {
  const { parseAst } = await import('rolldown/parseAst');
  return (source, file = 'inline.js') => {
    const program: unknown = parseAst(source, { lang: langOf(file) }, file);
    if (!isNode(program)) throw new PolaronError('BUNDLE_FAILED', `${file} has no syntax tree`);
    return program;
  };
}

/** Raises BUNDLE_FAILED, NATIVE_ADDON. */
export async function build(input: BuildInput): Promise<BuildOutput> {
  const [{ rolldown }, parse] = await Promise.all([import('rolldown'), loadParser()]);
  const { plugin, findings } = shipPlugin({ ...input, parse });
  const outDir = join(input.root, 'out');
  try {
    const bundler = await rolldown({
      input: { bundle: ENTRY_ID },
      cwd: input.root,
      platform: 'node',
      resolve: { conditionNames: ['x-agent', 'node', 'import'] },
      tsconfig: true,
      logLevel: 'silent',
      plugins: [plugin],
    });
    try {
      const { output } = await bundler.generate({
        format: 'esm',
        dir: outDir,
        sourcemap: 'hidden',
        codeSplitting: false,
        keepNames: true,
        comments: false,
        minify: {
          mangle: false,
          // No sequences and no joined declarations: a stack's column then points at one statement.
          compress: { keepNames: { function: true, class: true }, sequences: false, joinVars: false },
          codegen: { removeWhitespace: true },
        },
      });
      const chunk = output[0];
      return {
        code: chunk.code,
        map: chunk.map === null ? undefined : shippedMap(chunk.map, outDir, input.root),
        warnings: findings.warnings
          .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
          .map(({ text }) => text),
        largest: largestParts(chunk.modules, input.root),
        hints: [...findings.hints.values()],
        wanted: [...findings.wanted],
        modules: renderedOf(chunk.modules, input.shim),
        imports: IMPORTS.exec(chunk.code)?.[0] ?? '',
        inputs: inputsOf([...(await bundler.watchFiles), ...input.files], findings.inputs),
      };
    } finally {
      await bundler.close();
    }
  } catch (error) {
    throw asShippingError(error, findings, input);
  }
}

function largestParts(modules: Readonly<Record<string, { readonly renderedLength: number }>>, root: string): string[] {
  const sizes = new Map<string, number>();
  for (const [id, { renderedLength }] of Object.entries(modules)) {
    const name = basename(packageFolder(id) ?? shownPath(id, root));
    sizes.set(name, (sizes.get(name) ?? 0) + renderedLength);
  }
  const sorted = [...sizes].sort((a, b) => b[1] - a[1]);
  return sorted.slice(0, 3).map(([name, bytes]) => `${name} (${mebibytes(bytes)})`);
}

/** The statements at the beginning of the output that import what stays outside. */
const IMPORTS = /^(?:\s*import[^;]*;)*/;

function renderedOf(
  modules: Readonly<Record<string, { readonly code: string | null }>>,
  shim: string,
): RenderedModule[] {
  return Object.entries(modules).map(([id, { code }]) => ({ code: code ?? '', from: originOf(id, shim) }));
}

function originOf(id: string, shim: string): RenderedModule['from'] {
  if (id.startsWith('\0polaron') || id === shim || isSdkFile(id)) return 'sdk';
  return id.startsWith('\0') || packageFolder(id) !== undefined ? 'package' : 'user';
}

/** The modules, and what steered their resolution: the nearest package.json and tsconfig.json of each folder. */
function inputsOf(modules: readonly string[], others: ReadonlySet<string>): string[] {
  const inputs = new Set(others);
  const folders = new Set<string>();
  for (const file of modules) {
    if (file.includes('\0')) continue;
    inputs.add(file);
    folders.add(dirname(file));
  }
  for (const folder of folders) {
    for (const name of ['package.json', 'tsconfig.json']) {
      const found = nearest(folder, name);
      if (found !== undefined) inputs.add(join(found, name));
    }
  }
  return [...inputs].sort();
}

const isRolldownError = (x: unknown): x is RolldownError => x instanceof Error;

/** What the plugin refused, else the bundler's message as `file:line:col: what`. */
function asShippingError(error: unknown, { refusal }: PluginFindings, input: BuildInput): PolaronError {
  const packing = `(while packing ${input.names.length === 1 ? 'electron' : 'electrons'} ${shortList(input.names)} for the agents)`;
  if (refusal !== undefined) {
    const message = refusal.code === 'NATIVE_ADDON' ? refusal.message : `${refusal.message} ${packing}`;
    return new PolaronError(refusal.code, message, { details: refusal.details });
  }
  const lines = errorsOf(error).map((one) => {
    const what = stripVTControlCharacters(one.message)
      .split('\n')[0]
      ?.replace(/^\[[A-Z_]+\] /, '')
      .replace(/ in \S+$/, '');
    const file = one.loc?.file ?? one.id;
    if (file === undefined) return what;
    const at = one.loc === undefined ? '' : `:${one.loc.line}:${one.loc.column + 1}`;
    return `${shownPath(file, input.root)}${at}: ${what}`;
  });
  return new PolaronError('BUNDLE_FAILED', `${lines.join('; ')} ${packing}`, { cause: error });
}

function errorsOf(error: unknown): RolldownError[] {
  const many = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
  const found = many.filter(isRolldownError);
  return found.length > 0 ? found : [new Error(String(error))];
}
