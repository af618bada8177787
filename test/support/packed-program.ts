/**
 * A test's own program as one file that Node runs: loading its sources through tsx takes most of a second of CPU at each start, packing them takes less than half of one once.
 * Not here: the package's programs, which `node scripts/build.mjs` packs.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below the repository, so that packages are found from there. */
const cache = join(root, '.cache');

/** Packages with native parts, and what such a package loads as well. */
const NATIVE = /^(lmdb|msgpackr|rolldown|koffi)(\/|$)/;

export interface PackedProgram {
  /** To be run by Node as it is. */
  readonly file: string;
  remove(): void;
}

/** Packs all that `entry` imports, but packages with native parts. */
export async function packProgram(entry: string): Promise<PackedProgram> {
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, 'program-'));
  const bundle = await rolldown({
    input: entry,
    external: NATIVE,
    platform: 'node',
    logLevel: 'warn',
  });
  const name = `${basename(entry, '.ts')}.mjs`;
  await bundle.write({ dir, format: 'esm', entryFileNames: name, chunkFileNames: '[name]-[hash].mjs' });
  await bundle.close();
  return { file: join(dir, name), remove: () => rmSync(dir, { recursive: true, force: true }) };
}
