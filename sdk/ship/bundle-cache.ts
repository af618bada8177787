/**
 * Bundles on disk, so that a second process that dispatches the same files doesn't load the bundler.
 * Key: what was asked for. Valid while every input has the path, mtime and size that it had at the build. A cache: it never raises.
 * Two files per bundle, `<key>.json` and `<key>.mjs`: an edited script replaces its own. Each is written beside its place and renamed; a pair that doesn't match is built again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { Bundle, NativeHint } from './shipped.ts';
import { mapIn } from './source-map.ts';

/** Path, mtime in ms, size in bytes; mtime -1: it did not exist. */
export type Stamp = readonly [path: string, mtimeMs: number, size: number];

export interface CachedBundle {
  readonly bundle: Bundle;
  readonly stamps: readonly Stamp[];
}

/** Manifests kept; older ones are removed when another is written. */
const KEEP = 64;

export const sha256 = (bytes: Uint8Array | string): Digest => {
  const hex = createHash('sha256').update(bytes).digest('hex');
  if (!isDigest(hex)) throw new TypeError(hex);
  return hex;
};

export function stampOf(path: string): Stamp {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [path, -1, 0] : [path, stat.mtimeMs, stat.size];
}

/** Are all inputs what they were? */
export const isFresh = (stamps: readonly Stamp[]): boolean =>
  stamps.every((stamp) => {
    const now = stampOf(stamp[0]);
    return now[1] === stamp[1] && now[2] === stamp[2];
  });

interface Manifest {
  readonly digest: Digest;
  readonly codeDigest: Digest;
  readonly codes: Readonly<Record<string, Digest>>;
  readonly warnings: readonly string[];
  readonly hints: readonly NativeHint[];
  readonly stamps: readonly Stamp[];
}

const isManifest = (x: unknown): x is Manifest =>
  typeof x === 'object' &&
  x !== null &&
  'digest' in x &&
  isDigest(x.digest) &&
  'codeDigest' in x &&
  isDigest(x.codeDigest) &&
  'codes' in x &&
  typeof x.codes === 'object' &&
  'stamps' in x &&
  Array.isArray(x.stamps) &&
  'warnings' in x &&
  Array.isArray(x.warnings) &&
  'hints' in x &&
  Array.isArray(x.hints);

/** The bundle stored under `key`, if its inputs are unchanged and its bytes whole. */
export function readCached(folder: string, key: string): CachedBundle | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, `${key}.json`), 'utf8'));
    if (!isManifest(manifest) || !isFresh(manifest.stamps)) return undefined;
    const code = readFileSync(join(folder, `${key}.mjs`));
    if (sha256(code) !== manifest.digest) return undefined;
    const { digest, codeDigest, codes, warnings, hints, stamps } = manifest;
    const map = mapIn(code.toString('utf8'));
    const bytes = new Uint8Array(code.buffer, code.byteOffset, code.length);
    return {
      bundle: {
        code: bytes,
        digest,
        codeDigest,
        codes,
        ...(map === undefined ? {} : { map }),
        warnings,
        hints,
        madeBefore: true,
      },
      stamps,
    };
  } catch {
    return undefined;
  }
}

/** Stores a bundle; a disk that doesn't take it is no error. */
export function writeCached(folder: string, key: string, { bundle, stamps }: CachedBundle): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { digest, codeDigest, codes, warnings, hints } = bundle;
    put(join(folder, `${key}.mjs`), bundle.code);
    put(join(folder, `${key}.json`), JSON.stringify({ digest, codeDigest, codes, warnings, hints, stamps }));
    prune(folder);
  } catch {
    // Full or read-only: the next process builds again.
  }
}

function put(path: string, bytes: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, bytes, { mode: 0o600 });
  renameSync(temporary, path);
}

function prune(folder: string): void {
  const files = readdirSync(folder).map((name) => ({ name, at: stampOf(join(folder, name))[1] }));
  const manifests = files.filter(({ name }) => name.endsWith('.json')).sort((a, b) => b.at - a.at);
  if (manifests.length <= KEEP) return;
  const oldest = manifests[KEEP - 1]?.at ?? 0;
  // A bundle is written before its manifest, hence the older limit for the others.
  for (const { name, at } of files) if (at < oldest - 60_000) rmSync(join(folder, name), { force: true });
}
