/** Finds a program of the system, and the id of a user to run it as. Not responsible for installing either. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface ProgramQuery {
  /** Folders to look in after the PATH. */
  readonly also?: readonly string[];
  /** Whether a candidate will do. */
  readonly suits?: (path: string) => boolean;
  /** How to get it, for the error. */
  readonly hint: string;
}

/** Path of a program. Raises Error that names the folders beside the PATH, and the hint. */
export function findProgram(name: string, { also = [], suits = () => true, hint }: ProgramQuery): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...also].filter((folder) => folder !== '');
  const found = folders.map((folder) => join(folder, name)).find((path) => isExecutable(path) && suits(path));
  if (found !== undefined) return found;
  throw new Error(`no ${[`${name} on the PATH`, ...also].join(', nor in ')}; ${hint}`);
}

/** `/usr/lib/postgresql/15/bin`, … : the newest first. */
export function versionedFolders(parent: string, inner: string): readonly string[] {
  try {
    const names = readdirSync(parent).sort((a, b) => Number(b) - Number(a));
    return names.map((name) => join(parent, name, inner));
  } catch {
    return [];
  }
}

/** Empty unless this process is root; then the ids of the first of these users that exists. Raises Error when none does. */
export function unprivileged(names: readonly string[]): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of names) {
    const [uid, gid] = ['-u', '-g'].map((what) => idOf(what, name));
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error(`this is root, and there is no user ${names.join(' or ')} to run it as`);
}

function idOf(what: string, name: string): number | undefined {
  try {
    return Number(execFileSync('id', [what, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
