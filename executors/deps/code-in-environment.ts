/** A dispatch's code as it is loaded where its dependencies are: the bundle lies below them, so that plain `import` and `require` find what was installed. */
import { copyFileSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DepsDef, ElectronDef } from '../../model/graph.ts';
import type { ExecutorCode, InstalledDeps } from '../executor.ts';

/** Bundles in one environment; links to what the agent keeps anyhow. */
const MOST_BUNDLES = 64;

/** What has to be installed for an electron: what it asks for, over what its bundle imports. Undefined, for nearly all: nothing. */
export function wantedDeps(electron: ElectronDef | undefined, { packages }: ExecutorCode): DepsDef | undefined {
  const own = electron?.deps;
  if (packages === undefined) return own;
  const npm = { ...packages, ...own?.npm };
  return { ...own, npm: Object.fromEntries(Object.entries(npm).sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Raises the system's error. */
export function codeIn(installed: InstalledDeps, code: ExecutorCode): ExecutorCode {
  const { bundleFile } = code;
  const key = `${code.key}|${installed.key}`;
  if (bundleFile === undefined) return { ...code, key, deps: installed };
  return { ...code, key, deps: installed, bundleFile: linked(join(installed.dir, 'bundles'), bundleFile) };
}

function linked(folder: string, bundleFile: string): string {
  const file = join(folder, basename(bundleFile));
  const now = Date.now() / 1_000;
  try {
    utimesSync(file, now, now);
    return file;
  } catch {
    // not here yet
  }
  mkdirSync(folder, { recursive: true });
  const temporary = `${file}.${process.pid}`;
  rmSync(temporary, { force: true });
  try {
    linkSync(bundleFile, temporary);
  } catch {
    copyFileSync(bundleFile, temporary); // on another disk
  }
  renameSync(temporary, file);
  removeOldest(folder);
  return file;
}

function removeOldest(folder: string): void {
  const files = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  if (files.length <= MOST_BUNDLES) return;
  const byAge = files.map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs })).sort((a, b) => a.at - b.at);
  for (const { name } of byAge.slice(0, files.length - MOST_BUNDLES)) rmSync(join(folder, name), { force: true });
}
