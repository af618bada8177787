/** Makes a peer's own node_modules hold what its package-lock.json says. Nothing of it becomes part of Polaron's. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PeerProcesses } from './peer-processes.ts';

const INSTALL_MS = 300_000;

/** Folder of a peer beside this file. */
export const folderOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs npm when something is missing or stale. Raises Error with npm's last lines when that fails, as it does without a registry. */
export async function install(folder: string, processes: PeerProcesses, say: (line: string) => void): Promise<void> {
  if (isInstalled(folder)) return;
  say(`installing packages into ${folder} ...`);
  const own = process.env['npm_execpath'];
  const [command, ...first] = own !== undefined && /npm-cli\.[cm]?js$/.test(own) ? [process.execPath, own] : ['npm'];
  // Not `npm ci`, for the reason that scripts/ensure-installed.mjs gives. A package's own scripts have nothing to do here but report home.
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  await processes.start(command ?? 'npm', [...first, ...args], { cwd: folder }).succeed(INSTALL_MS);
  if (!isInstalled(folder))
    throw new Error(`npm install left bench/peers/${basename(folder)} without what its package-lock.json names`);
}

/** Optional packages are for other platforms, or sources of speed that npm has passed over. */
function isInstalled(folder: string): boolean {
  // npm writes this one last, so an interrupted install shows too.
  const file = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(file)) return false;
  const installed = new Map(versions(file).map(({ path, version }) => [path, version]));
  return versions(join(folder, 'package-lock.json')).every(
    ({ path, version, optional }) =>
      optional || (installed.get(path) === version && existsSync(join(folder, path, 'package.json'))),
  );
}

/** Version of an installed package. */
export function versionOf(folder: string, name: string): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'),
  );
  return version;
}

function versions(lock: string): { path: string; version: string; optional: boolean }[] {
  const { packages }: { packages: Record<string, { version: string; optional?: boolean }> } = JSON.parse(
    readFileSync(lock, 'utf8'),
  );
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, { version, optional = false }]) => ({ path, version, optional }));
}
