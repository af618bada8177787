/** Takes the right to write away from root as well, whom permissions don't bind: files that may not be changed, and folders mounted read-only. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: 'ignore' });
};

/** Nobody may write to this file, whoever has it open; returns what ends that. */
export function makeImmutable(file: string): () => void {
  run('chattr', '+i', file);
  return () => run('chattr', '-i', file);
}

/** Nobody may write anything new in this folder; returns what ends that. */
export function makeReadOnly(folder: string): () => void {
  run('mount', '--bind', folder, folder);
  run('mount', '-o', 'remount,ro,bind', folder);
  return () => run('umount', '-l', folder);
}

/** What of both can be done here; undefined when not all. */
export function findImmutable(): true | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-immutable-'));
  try {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    makeImmutable(file)();
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    makeReadOnly(inner)();
    return true;
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
