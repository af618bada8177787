/**
 * Makes node_modules hold what package-lock.json says: runs npm when it is missing or stale, with npm's noise kept back unless it fails.
 * Needs nothing but Node and npm. Not responsible for building.
 *
 * `npm install --no-save` and not `npm ci`: the lock was made where a registry hasn't the binaries of every platform, and `npm ci` refuses a lock
 * without them. Versions come from the lock all the same, and no tracked file changes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ends, runFolded } from './child.mjs';
import { requireSupported } from './node-version.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Why an install is needed, or undefined. npm writes node_modules/.package-lock.json last, so an interrupted install shows too.
 * Optional packages are left out: npm installs only those of this platform.
 */
export function whyInstall(folder = root) {
  const installedFile = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return 'node_modules is missing';
  const wanted = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.optional === true || entry.devOptional === true) continue;
    if (installed[path]?.version !== entry.version) return `${path} is not at ${entry.version}`;
    if (!existsSync(join(folder, path, 'package.json'))) return `${path} is missing`;
  }
  return undefined;
}

/** How to call npm: the one that runs this script, if any, else the one on the PATH. */
export function npm() {
  const own = process.env.npm_execpath;
  const isNpm = own !== undefined && /npm-cli\.[cm]?js$/.test(own);
  return isNpm ? { command: process.execPath, first: [own] } : { command: 'npm', first: [] };
}

/** Installs when needed. Ends the process with npm's last lines when that fails. `say` gets lines for people. */
export async function ensureInstalled(say = (line) => process.stderr.write(`${line}\n`)) {
  requireSupported();
  if (whyInstall() === undefined) return;
  say('installing packages (npm install), about a minute ...');
  const began = Date.now();
  const { command, first } = npm();
  const { code, output } = await runFolded(
    command,
    [...first, 'install', '--no-save', '--include=dev', '--no-audit', '--no-fund'],
    {
      cwd: root,
    },
  );
  const left = code === 0 ? whyInstall() : undefined;
  if (code !== 0 || left !== undefined) {
    process.stderr.write(
      `${ends(output, 20)}\nnpm install failed (exit code ${code}${left ? `, ${left}` : ''}) in ${root}\n`,
    );
    process.exit(1);
  }
  say(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureInstalled();
