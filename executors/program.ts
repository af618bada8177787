/** The programs of this package: where they are and how they are started. The built file runs with Node, the source (in the repository) with tsx. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Entry of each process that is not the command itself. The build packs each into few files, see scripts/build.mjs. */
export type Program =
  | 'host/agent-process'
  | 'host/check-process'
  | 'host/results-process'
  | 'executors/runner/job'
  | 'executors/runner/main';

/** Node's arguments that start it. */
export function programArgs(program: Program): string[] {
  const source = new URL(`${program}.ts`, ownPackage().folder);
  if (import.meta.url.endsWith('.ts') && existsSync(source) && process.env['POLARON_BUILT_PROGRAMS'] !== '1')
    return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, fileURLToPath(source)];
  return [fileURLToPath(new URL(`dist/${program}.cjs`, ownPackage().folder))];
}

/** Of a process that hosts threads, and of a thread: always the built files, as TypeScript in a thread would take longer to begin than a process. */
export const hostProgram = (): string => fileURLToPath(packageFile('dist/executors/runner/threads.cjs'));
export const threadProgram = (): URL => packageFile('dist/executors/runner/thread.cjs');

/** A file of this package. */
export const packageFile = (path: string): URL => new URL(path, ownPackage().folder);

export const packageVersion = (): string => ownPackage().manifest.version;

/** A module of the package, built. */
export const moduleFile = (name: string): string => fileURLToPath(packageFile(`dist/${name}.js`));

interface Manifest {
  readonly version: string;
}

interface Package {
  readonly folder: URL;
  readonly manifest: Manifest;
}

let own: Package | undefined;

/** Looked for when it is first needed: what is carried to other machines has none. */
function ownPackage(): Package {
  own ??= findPackage();
  return own;
}

/** The nearest folder upwards with this package's manifest: how far up depends on what the build made of this module. */
function findPackage(): Package {
  for (const up of ['..', '../..', '../../..']) {
    const folder = new URL(`${up}/`, import.meta.url);
    const manifest = readManifest(new URL('package.json', folder));
    if (manifest !== undefined) return { folder, manifest };
  }
  throw new Error(`the package.json of polaron is missing above ${import.meta.url}; install polaron again`);
}

function readManifest(file: URL): Manifest | undefined {
  if (!existsSync(file)) return undefined;
  const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof found !== 'object' || found === null || !('name' in found) || found.name !== 'polaron') return undefined;
  return 'version' in found && typeof found.version === 'string' ? { version: found.version } : undefined;
}
