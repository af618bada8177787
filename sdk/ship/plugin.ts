/**
 * What the bundler is told while it walks the user's modules: the SDK is the agent shim with small parts, test frameworks are stubs, native packages are refused
 * or left out, user modules are scanned. Not here: running the bundler (build.ts).
 */
import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'rolldown';
import { PolaronError, type ErrorDetails } from '../../model/errors.ts';
import type { Packages } from '../../bus/protocol/bundle-packages.ts';
import { agentPartsOf, ERRORS_ID, ERRORS_TEXT } from './agent-parts.ts';
import { nativePackage, packageFolder, type NativePackage } from './native.ts';
import { mayRead, topLevelReads, warningOf } from './scan.ts';
import type { Parse } from './inline.ts';
import { SDK_FOLDER } from './shim-file.ts';
import type { NativeHint } from './shipped.ts';
import { inputMap, isSdkFile, shownPath } from './source-map.ts';
import { isStubbed, isTestFile, STUB_ID, STUB_TEXT, TEST_GLOBALS_ID, TEST_GLOBALS_TEXT } from './stubs.ts';

export const ENTRY_ID = '\0polaron-entry';
const INLINE_ID = '\0polaron-inline';

export interface PluginInput {
  /** Absolute paths, in the order of evaluation. */
  readonly files: readonly string[];
  /** Text of the inline module; empty: none. */
  readonly inline: string;
  readonly external: readonly string[];
  /** As `external`, and it is found out which of them are imported. */
  readonly packages: Packages;
  readonly shim: string;
  /** What paths in messages are relative to. */
  readonly root: string;
  readonly parse: (source: string, file: string) => ReturnType<Parse>;
}

/** What the plugin found out, filled while the bundler runs. */
export interface PluginFindings {
  readonly warnings: { readonly file: string; readonly line: number; readonly text: string }[];
  readonly hints: Map<string, NativeHint>;
  /** Files besides the modules that the output depends on: maps, package.json. */
  readonly inputs: Set<string>;
  /** Those of `packages` without which the bundle can't be loaded. */
  readonly wanted: Set<string>;
  /** Why the walk was stopped. Kept here since the bundler overwrites `code` of what a hook throws. */
  refusal:
    | { readonly code: 'BUNDLE_FAILED' | 'NATIVE_ADDON'; readonly message: string; readonly details: ErrorDetails }
    | undefined;
}

const isUserFile = (id: string): boolean => isAbsolute(id) && !id.includes(`${sep}node_modules${sep}`);
const isBare = (id: string): boolean => !/^(?:[./\0#]|node:|[a-z]:\\|data:|https?:)/i.test(id);

const real = (file: string): string => {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
};
/** The files of the SDK that user code may import by path. */
const SDK_ENTRIES = new Set(
  ['index.ts', 'index.js'].flatMap((name) => [join(SDK_FOLDER, name), real(join(SDK_FOLDER, name))]),
);

const nativeRefusal = (found: NativePackage, importer: string): PolaronError =>
  new PolaronError(
    'NATIVE_ADDON',
    `${importer} imports ${found.name} ${found.version}, which has a native part (${found.reason}) and can't be packed. ` +
      `Install it on the agents: electron({ deps: { npm: { '${found.name}': '${found.version}' } } }, ...)`,
    { details: { package: found.name, version: found.version, importer } },
  );

/** @returns the plugin, and what it finds; a refusal ends the walk. */
export function shipPlugin(input: PluginInput): { readonly plugin: Plugin; readonly findings: PluginFindings } {
  const findings: PluginFindings = {
    warnings: [],
    hints: new Map(),
    inputs: new Set(),
    wanted: new Set(),
    refusal: undefined,
  };
  const refuse = (error: PolaronError): never => {
    const { message, details } = error;
    findings.refusal ??= { code: error.code === 'NATIVE_ADDON' ? 'NATIVE_ADDON' : 'BUNDLE_FAILED', message, details };
    throw error;
  };
  const entries = new Set(input.files);
  const agentPart = agentPartsOf(input.shim);
  const natives = new Map<string, NativePackage | undefined>();
  const native = (folder: string): NativePackage | undefined => {
    if (!natives.has(folder)) {
      findings.inputs.add(join(folder, 'package.json'));
      natives.set(folder, nativePackage(folder));
    }
    return natives.get(folder);
  };
  const shown = (file: string): string => (isAbsolute(file) ? shownPath(file, input.root) : basename(file));
  const packages = Object.keys(input.packages);
  const nameIn = (names: readonly string[], id: string): string | undefined =>
    names.find((name) => id === name || id.startsWith(`${name}/`));
  const isExternal = (id: string, kind: string): boolean => {
    const wanted = nameIn(packages, id);
    // an `import()` is the matter of the electron that comes to it; all others are needed to load the bundle
    if (wanted !== undefined && kind !== 'dynamic-import') findings.wanted.add(wanted);
    return wanted !== undefined || nameIn(input.external, id) !== undefined;
  };

  /** External with a hint, or NATIVE_ADDON when user code can't do without it. */
  const leaveOut = (id: string, found: NativePackage, importer: string, kind: string) => {
    if (isUserFile(importer) && kind !== 'dynamic-import') refuse(nativeRefusal(found, shown(importer)));
    findings.hints.set(found.name, {
      package: found.name,
      version: found.version,
      importedBy: shown(importer),
      reason: found.reason,
    });
    return { id, external: true };
  };

  const plugin: Plugin = {
    name: 'polaron',
    resolveId: {
      order: 'pre',
      async handler(id, importer, { kind }) {
        if (id === ENTRY_ID || id === INLINE_ID || id === STUB_ID || id === TEST_GLOBALS_ID) return id;
        if (entries.has(id)) return { id, moduleSideEffects: true };
        if (id === 'polaron') return { id: input.shim, moduleSideEffects: true };
        if (isStubbed(id)) return STUB_ID;
        if (importer === undefined) return null;
        const part = agentPart(id, importer);
        if (part !== undefined) return part;
        if (isExternal(id, kind)) return { id, external: true };
        const bare = isBare(id);
        if (!bare && !id.endsWith('.node') && !isUserFile(importer)) return null;
        const resolved = await this.resolve(id, importer, { kind, skipSelf: true });
        if (resolved === null) {
          if (bare && isUserFile(importer) && kind === 'import-statement') {
            refuse(new PolaronError('BUNDLE_FAILED', `${shown(importer)}: package '${id}' is not installed`));
          }
          return null;
        }
        if (SDK_ENTRIES.has(resolved.id)) return { id: input.shim, moduleSideEffects: true };
        const folder = bare || id.endsWith('.node') ? packageFolder(resolved.id) : undefined;
        const found = folder === undefined ? undefined : native(folder);
        if (found !== undefined) return leaveOut(id, found, importer, kind);
        if (resolved.id.endsWith('.node')) {
          return leaveOut(id, { name: id, version: '*', reason: basename(resolved.id) }, importer, kind);
        }
        // An entry must not be dropped because its package.json says that it has no side effects: registering an electron is one.
        return entries.has(resolved.id) ? { ...resolved, moduleSideEffects: true } : resolved;
      },
    },
    load: {
      filter: { id: /^\0polaron-|\.[cm]?js$/ },
      handler(id) {
        if (id === ENTRY_ID) return entryText(input);
        if (id === INLINE_ID) return { code: input.inline, moduleType: 'js', moduleSideEffects: true };
        if (id === ERRORS_ID) return { code: ERRORS_TEXT, moduleType: 'js' };
        if (id === STUB_ID) return { code: STUB_TEXT, moduleType: 'js' };
        if (id === TEST_GLOBALS_ID) return { code: TEST_GLOBALS_TEXT, moduleType: 'js', moduleSideEffects: true };
        // The package's own files keep their names, also where it is linked and not installed.
        return isUserFile(id) && !isSdkFile(id) ? withInputMap(id, findings) : null;
      },
    },
    transform: {
      filter: { id: /^(?!\0)(?!.*[\\/]node_modules[\\/]).*\.[cm]?[jt]sx?$/ },
      handler(code, id) {
        if (!isUserFile(id) || id === input.shim || id.startsWith(SDK_FOLDER) || !mayRead(code)) return null;
        try {
          for (const read of topLevelReads(input.parse(code, id), code)) {
            findings.warnings.push({ file: id, line: read.line, text: warningOf(shown(id), read) });
          }
        } catch {
          // A file that doesn't parse is the bundler's to report.
        }
        return null;
      },
    },
  };
  return { plugin, findings };
}

/** Inline functions first, since a module may halt at dispatch(). */
function entryText({ files, inline }: PluginInput): string {
  const imports = [
    ...(files.some(isTestFile) ? [TEST_GLOBALS_ID] : []),
    ...(inline === '' ? [] : [INLINE_ID]),
    ...files,
  ];
  return imports.map((id) => `import ${JSON.stringify(id)};`).join('\n');
}

/** A compiled file with the map that its compiler wrote, so that stacks name the author's file. */
function withInputMap(id: string, findings: PluginFindings) {
  let code: string;
  try {
    code = readFileSync(id, 'utf8');
  } catch {
    return null;
  }
  const found = inputMap(code, id);
  if (found === undefined) return null;
  try {
    if ('path' in found) findings.inputs.add(found.path);
    const map = 'text' in found ? found.text : readFileSync(found.path, 'utf8');
    const parsed: unknown = JSON.parse(map);
    if (typeof parsed !== 'object' || parsed === null || !('sources' in parsed)) return null;
    return { code, map: absoluteSources(map, id) };
  } catch {
    return null;
  }
}

/** Sources of a compiler's map are relative to the map's file. */
function absoluteSources(map: string, id: string): string {
  const parsed: { sources?: unknown; sourceRoot?: unknown } = JSON.parse(map);
  const base = typeof parsed.sourceRoot === 'string' ? join(dirname(id), parsed.sourceRoot) : dirname(id);
  const sources = Array.isArray(parsed.sources) ? parsed.sources : [];
  return JSON.stringify({
    ...parsed,
    sourceRoot: undefined,
    sources: sources.map((source: unknown) => {
      if (typeof source !== 'string') return null;
      if (source.startsWith('file:')) return fileURLToPath(source);
      return isAbsolute(source) ? source : join(base, source);
    }),
  });
}
