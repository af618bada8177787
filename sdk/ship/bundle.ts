/**
 * `bundleElectrons`: the code that agents evaluate to find electrons by name. Decides what goes as modules and what as a function's own text.
 * Not here: what this process keeps (kept-bundles.ts), making one (pack.ts), the agent's side (executors/runner/loader.ts).
 *
 * Caches: in this process a bundle for the same request is used again; its inputs are checked (path, mtime, size) at most once per `revalidateMs`, so an
 * edit is seen by a dispatch a second later at the latest. Across processes the disk cache is checked against all inputs every time.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { polaronHome } from '../../bus/hub-file.ts';
import { PolaronError } from '../../model/errors.ts';
import { DRAWING } from '../../model/graph.ts';
import { isFresh, readCached, sha256, stampOf, writeCached, type CachedBundle } from './bundle-cache.ts';
import { checkNames } from './check-names.ts';
import { drop, keep, keptUnder, keyOf, remember, revalidateMsOf, type Kept } from './kept-bundles.ts';
import { prepareLeptons } from './lepton-text.ts';
import { nearest } from './native.ts';
import { defaultShim } from './shim-file.ts';
import { mebibytes, shortList } from './shown.ts';
import { DEFAULT_MAX_BUNDLE_BYTES, type Bundle, type BundleOptions, type ShippedElectron } from './shipped.ts';

export { recentBundle } from './kept-bundles.ts';
export type { Bundle, BundleOptions, NativeHint, ShippedElectron } from './shipped.ts';

/** Part of every cache key: raise it when the same input gives another output. */
const MAKER = 'polaron-bundle-4 rolldown-1.3.2';

/** Does a test runner evaluate modules in this process? There electrons are often made inside `it()`, where no agent gets to. */
const underTests =
  '__vitest_worker__' in globalThis ||
  process.env['NODE_TEST_CONTEXT'] !== undefined ||
  process.env['JEST_WORKER_ID'] !== undefined;

/**
 * Packs the modules that define these electrons.
 * Raises NO_SOURCE, BUNDLE_FAILED, NATIVE_ADDON, BUNDLE_TOO_LARGE, ELECTRON_AMBIGUOUS, LEPTON_SOURCE.
 */
export async function bundleElectrons(electrons: readonly ShippedElectron[], options: BundleOptions): Promise<Bundle> {
  checkNames(electrons);
  const fallback = options.inlineFallback ?? underTests;
  const key = keyOf(electrons, options, fallback);
  const now = performance.now();
  const found = keptUnder(key);
  if (found !== undefined) {
    const { bundle, stamps } = await found.made;
    const recent = now - found.checkedAt < revalidateMsOf(options);
    if (recent || isFresh(stamps)) {
      if (!recent) found.checkedAt = now;
      remember(electrons, options, bundle, found);
      return bundle;
    }
  }
  const entry: Kept = { made: make(electrons, options, fallback), checkedAt: now };
  keep(key, entry);
  try {
    const { bundle } = await entry.made;
    remember(electrons, options, bundle, entry);
    return bundle;
  } catch (error) {
    drop(key, entry);
    throw error;
  }
}

/** Absolute real path of the defining module; undefined when it isn't a file. */
function moduleFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    const real = realpathSync(file.startsWith('file:') ? fileURLToPath(file.replace(/[?#].*$/, '')) : file);
    return statSync(real).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}

async function make(
  electrons: readonly ShippedElectron[],
  options: BundleOptions,
  fallback: boolean,
): Promise<CachedBundle> {
  const prepared = prepareLeptons(
    [...new Map(electrons.map((electron) => [electron.name, electron])).values()],
    options.cwd,
  );
  const unique = prepared.map(({ electron }) => electron);
  const onlyInline = options.code === 'inline';
  const placed = unique.map((electron) => ({ electron, file: onlyInline ? undefined : moduleFile(electron.file) }));
  const files = inOrder(new Set(placed.flatMap(({ file }) => (file === undefined ? [] : [file]))));
  const must = new Set(placed.flatMap(({ electron, file }) => (file === undefined ? [electron] : [])));
  const texts = unique.filter((electron) => fallback || must.has(electron));
  const root = projectRoot(files, options.cwd);
  const shim = options.shim ?? defaultShim(unique.some(({ name }) => name.startsWith(DRAWING)));
  const folder = options.cacheDir ?? join(polaronHome(), 'cache', 'bundles');
  const request = {
    maker: MAKER,
    node: process.versions.modules,
    files,
    root,
    shim,
    external: options.external ?? [],
    packages: options.packages ?? {},
    onlyInline,
    texts: texts.map((electron) => [
      electron.name,
      must.has(electron),
      electron.text ?? Function.prototype.toString.call(electron.fn),
    ]),
  };
  const names = [...new Set(electrons.map(({ name }) => name))];
  const data = new Map(prepared.flatMap((one) => (one.data === undefined ? [] : [[one.electron.name, one.data]])));
  const key = sha256(JSON.stringify(request));
  const cached = readCached(folder, key);
  if (cached !== undefined) {
    checkSize(cached.bundle.code.length, options, names, []);
    return cached;
  }
  const { pack } = await import('./pack.ts');
  const { external, packages } = request;
  const packed = await pack({ files, texts, must, onlyInline, external, packages, shim, root, names, data });
  checkSize(packed.bundle.code.length, options, names, packed.largest);
  const made: CachedBundle = {
    bundle: packed.bundle,
    stamps: [...packed.inputs, ...prepared.flatMap(({ files: read }) => read)].map(stampOf),
  };
  writeCached(folder, key, made);
  return made;
}

/** Sorted, so that the hash doesn't depend on who dispatches what first; the script itself last, since evaluation ends at its dispatch(). */
function inOrder(files: ReadonlySet<string>): string[] {
  const main = moduleFile(process.argv[1]);
  return [...files].sort((a, b) => Number(a === main) - Number(b === main) || (a < b ? -1 : 1));
}

/** What shown paths are relative to: the folder of the package.json above all files, so that no part of the checkout's own path gets into the bundle. */
function projectRoot(files: readonly string[], cwd: string): string {
  const [first, ...others] = files.map((file) => dirname(file));
  if (first === undefined) return cwd;
  let common = first;
  while (!others.every((folder) => `${folder}${sep}`.startsWith(common.endsWith(sep) ? common : `${common}${sep}`))) {
    common = dirname(common);
  }
  const project = nearest(common, 'package.json');
  if (project !== undefined) return project;
  return `${common}${sep}`.startsWith(`${cwd}${sep}`) ? cwd : common;
}

function checkSize(bytes: number, options: BundleOptions, names: readonly string[], largest: readonly string[]): void {
  const limit = options.maxBytes ?? DEFAULT_MAX_BUNDLE_BYTES;
  if (bytes <= limit) return;
  throw new PolaronError(
    'BUNDLE_TOO_LARGE',
    `the packed code of ${shortList(names)} is ${mebibytes(bytes)}, over the limit of ${mebibytes(limit)}` +
      `${largest.length === 0 ? '' : `; the largest parts are ${largest.join(', ')}`}. Import less, or install large packages on the agents: electron({ deps: { npm: { ... } } }, ...)`,
    { details: { bytes, limit } },
  );
}
