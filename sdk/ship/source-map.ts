/**
 * Source maps of bundles: sources named `polaron:///path.ts` relative to the project, so that stacks on an agent read like the author's files
 * and the bundle's hash doesn't depend on where the checkout lies.
 */
import { fileURLToPath } from 'node:url';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { coarsened } from './mappings.ts';

export interface RawMap {
  readonly version: number;
  readonly sources: readonly (string | null)[];
  readonly names: readonly string[];
  readonly mappings: string;
}

const posix = (path: string): string => (sep === '/' ? path : path.replaceAll(sep, '/'));

/** A file's name in messages and stacks: relative to the project, from `node_modules/` on, or its last two parts. */
export function shownPath(file: string, root: string): string {
  const packaged = file.lastIndexOf(`${sep}node_modules${sep}`);
  if (packaged !== -1) return posix(file.slice(packaged + 1));
  const path = relative(root, file);
  if (path !== '' && !path.startsWith('..') && !isAbsolute(path)) return posix(path);
  return `${basename(dirname(file))}/${basename(file)}`;
}

/** The SDK's own files, as if they lay in node_modules: wherever the SDK runs from, they are not the author's. */
const SDK_ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SDK_FILE = /^(?:sdk|bus|model)[\\/]/;

/** Does the file belong to the running SDK? */
export const isSdkFile = (file: string): boolean =>
  file.startsWith(SDK_ROOT) && SDK_FILE.test(file.slice(SDK_ROOT.length));

const sourcePath = (file: string, root: string): string =>
  isSdkFile(file) ? `node_modules/polaron/${posix(file.slice(SDK_ROOT.length))}` : shownPath(file, root);

const OURS = 'polaron:///node_modules/polaron/';

/** The map as it is shipped: no text of the sources in it, and of the SDK's own only which file it is: it is the larger part of a small bundle's map. `outDir`: what the map's sources are relative to. */
export function shippedMap(map: RawMap, outDir: string, root: string): string {
  const sources = map.sources.map((source) => {
    if (source === null || source.includes('\0') || source.includes('polaron-entry')) return 'polaron:///bundle';
    return `polaron:///${encodeURI(sourcePath(resolve(outDir, source), root))}`;
  });
  const mappings = coarsened(
    map.mappings,
    sources.map((source) => source.startsWith(OURS)),
  );
  return JSON.stringify({ version: 3, sources, names: map.names, mappings });
}

export const inlineComment = (map: string): string =>
  `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}\n`;

/** The map that `inlineComment` put at the end of a bundle. */
export function mapIn(code: string): Uint8Array | undefined {
  const mark = '//# sourceMappingURL=data:application/json;base64,';
  const at = code.lastIndexOf(mark);
  return at === -1 ? undefined : new Uint8Array(Buffer.from(code.slice(at + mark.length).trim(), 'base64'));
}

const COMMENT = /^\/\/[#@] sourceMappingURL=(\S+)\s*$/gm;

/** Where a compiled file's own map is: its text when it lies inside, else a path next to the file. */
export function inputMap(
  code: string,
  file: string,
): { readonly text: string } | { readonly path: string } | undefined {
  const url = [...code.matchAll(COMMENT)].at(-1)?.[1];
  if (url === undefined) return undefined;
  const data = /^data:application\/json[^,]*?(;base64)?,(.*)$/.exec(url);
  if (data !== null) {
    const body = data[2] ?? '';
    return { text: data[1] === undefined ? decodeURIComponent(body) : Buffer.from(body, 'base64').toString('utf8') };
  }
  return /^[a-z]+:/i.test(url) ? undefined : { path: join(dirname(file), decodeURIComponent(url)) };
}
