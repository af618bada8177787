/** Does a package have a native part? Decided per package, from its files and package.json, because bundlers don't see dynamic loaders. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

export interface NativePackage {
  readonly name: string;
  readonly version: string;
  readonly reason: string;
}

const LOADERS = new Set([
  'bindings',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'prebuild-install',
  'node-addon-api',
  'nan',
  'napi-postinstall',
  '@node-rs/helper',
  'cmake-js',
]);
const PLATFORM = /(?:linux|darwin|win32)-(?:x64|arm64)/;

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);
const keys = (x: unknown): string[] => (isRecord(x) ? Object.keys(x) : []);

/** The folder of the package that `file` belongs to; undefined for a file that isn't below node_modules. */
export function packageFolder(file: string): string | undefined {
  const mark = `${sep}node_modules${sep}`;
  const at = file.lastIndexOf(mark);
  if (at === -1) return undefined;
  const rest = file.slice(at + mark.length).split(sep);
  const depth = rest[0]?.startsWith('@') === true ? 2 : 1;
  return join(file.slice(0, at + mark.length), ...rest.slice(0, depth));
}

function reasonOf(folder: string, manifest: Record<string, unknown>): string | undefined {
  if (manifest['gypfile'] === true || existsSync(join(folder, 'binding.gyp'))) return 'binding.gyp';
  if (isRecord(manifest['napi'])) return '"napi" in package.json';
  if (isRecord(manifest['binary'])) return '"binary" in package.json';
  if (existsSync(join(folder, 'prebuilds'))) return 'prebuilds/';
  const loader = keys(manifest['dependencies']).find((name) => LOADERS.has(name));
  if (loader !== undefined) return `depends on ${loader}`;
  const platform = keys(manifest['optionalDependencies']).find((name) => PLATFORM.test(name));
  if (platform !== undefined) return `optional dependency ${platform}`;
  const main = manifest['main'];
  return typeof main === 'string' && main.endsWith('.node') ? main : undefined;
}

/** Reads one package folder. Undefined: pure JavaScript, or not readable as a package. */
export function nativePackage(folder: string): NativePackage | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (!isRecord(manifest)) return undefined;
    const reason = reasonOf(folder, manifest);
    if (reason === undefined) return undefined;
    const { name, version } = manifest;
    return {
      name: typeof name === 'string' ? name : folder,
      version: typeof version === 'string' ? version : '*',
      reason,
    };
  } catch {
    return undefined;
  }
}

/** Nearest folder at or above `start` that holds `file`. */
export function nearest(start: string, file: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, file))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
