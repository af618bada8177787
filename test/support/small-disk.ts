/** A disk that a test may fill: a tmpfs of its own, where we may mount one. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const MIB = 1024 * 1024;

/** Of 300 MiB: its folder, or undefined where we may not mount one. */
export function mountSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

export function unmountSmallDisk(folder: string): void {
  execFileSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true });
}

const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** Writes until so many bytes are left; 0: until there is not one. */
export function fill(file: string, left: number): void {
  const fd = openSync(file, 'a');
  const folder = dirname(file);
  for (let size = MIB; size >= 1 && freeBytes(folder) > left; ) {
    try {
      writeSync(fd, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 16);
    }
  }
  closeSync(fd);
}
