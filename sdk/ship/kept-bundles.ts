/**
 * The bundles that this process made: by what was asked for, and, for the next dispatch of the same lattice, by its very electrons.
 * Not here: making one, and checking whether its files changed (bundle.ts).
 */
import { packagesLine } from '../../bus/protocol/bundle-packages.ts';
import { innermost } from '../../bus/protocol/registry.ts';
import { leptonMarkOf } from '../lepton-mark.ts';
import type { CachedBundle } from './bundle-cache.ts';
import type { Bundle, BundleOptions, ShippedElectron } from './shipped.ts';

/** A bundle made here; `checkedAt`: when its files were last looked at, ms. */
export interface Kept {
  readonly made: Promise<CachedBundle>;
  checkedAt: number;
}

const KEPT_LIMIT = 32;
const REVALIDATE_MS = 1_000;
const kept = new Map<string, Kept>();
const functionIds = new WeakMap<object, number>();
let lastFunctionId = 0;

const functionId = (fn: object): number => {
  const known = functionIds.get(fn) ?? ++lastFunctionId;
  functionIds.set(fn, known);
  return known;
};

/** How long a bundle's files needn't be looked at again. */
export const revalidateMsOf = (options: BundleOptions): number => options.revalidateMs ?? REVALIDATE_MS;

/** All that decides what the bundle is, but for the files' content. */
export function keyOf(electrons: readonly ShippedElectron[], options: BundleOptions, fallback: boolean): string {
  const onlyInline = options.code === 'inline';
  return [
    options.cwd,
    onlyInline ? 'i' : '',
    options.external?.join(',') ?? '',
    packagesLine(options.packages ?? {}),
    options.maxBytes ?? '',
    options.cacheDir ?? '',
    options.shim ?? '',
    ...electrons.map(({ name, file, fn }) =>
      file === undefined || fallback || onlyInline || leptonMarkOf(innermost(fn)) !== undefined
        ? `${name}\n${file ?? ''}\n${functionId(fn)}`
        : `${name}\n${file}`,
    ),
  ].join('\0');
}

export const keptUnder = (key: string): Kept | undefined => kept.get(key);

/** Keeps it, and lets go of the oldest above the limit. */
export function keep(key: string, entry: Kept): void {
  putLast(kept, key, entry);
}

function putLast<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEPT_LIMIT && oldest !== undefined) map.delete(oldest);
}

/** It couldn't be made: the next request tries again. */
export function drop(key: string, entry: Kept): void {
  if (kept.get(key) === entry) kept.delete(key);
}

interface Recent {
  readonly electrons: readonly ShippedElectron[];
  readonly options: BundleOptions;
  readonly bundle: Bundle;
  readonly entry: Kept;
}
/** By the first electron: the last bundle that began with it. */
const recents = new Map<ShippedElectron, Recent>();

export function remember(
  electrons: readonly ShippedElectron[],
  options: BundleOptions,
  bundle: Bundle,
  entry: Kept,
): void {
  const [first] = electrons;
  if (first !== undefined) putLast(recents, first, { electrons, options, bundle, entry });
}

/** The bundle of these very electrons with these options, if its files were looked at a moment ago: without a promise, a key or a look at names. */
export function recentBundle(electrons: readonly ShippedElectron[], options: BundleOptions): Bundle | undefined {
  const [first] = electrons;
  const recent = first === undefined ? undefined : recents.get(first);
  if (recent === undefined || !sameElectrons(recent.electrons, electrons) || !sameOptions(recent.options, options)) {
    return undefined;
  }
  return performance.now() - recent.entry.checkedAt < revalidateMsOf(options) ? recent.bundle : undefined;
}

const sameElectrons = (a: readonly ShippedElectron[], b: readonly ShippedElectron[]): boolean =>
  a === b || (a.length === b.length && a.every((electron, i) => electron === b[i]));

const sameOptions = (a: BundleOptions, b: BundleOptions): boolean =>
  a.cwd === b.cwd &&
  a.code === b.code &&
  a.external?.join(',') === b.external?.join(',') &&
  samePackages(a.packages, b.packages) &&
  a.maxBytes === b.maxBytes &&
  a.cacheDir === b.cacheDir &&
  a.shim === b.shim &&
  a.inlineFallback === b.inlineFallback;

const samePackages = (a: BundleOptions['packages'], b: BundleOptions['packages']): boolean =>
  a === b || packagesLine(a ?? {}) === packagesLine(b ?? {});
