/** A disk that a test may fill: a tmpfs of its own, where we may mount one. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const MIB = 1024 * 1024;

/** Of 300 MiB and 10,000 files: its folder, or undefined where we may not mount one. */
export function mountSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m,nr_inodes=10000', 'tmpfs', folder], { stdio: 'ignore' });
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

/** Writes until so many bytes are left, or hardly more; 0: until there is not one. */
export function fill(file: string, left: number): void {
  const fd = openSync(file, 'a');
  const folder = dirname(file);
  try {
    for (;;) {
      const room = freeBytes(folder) - left;
      if (room <= 0 && left > 0) break;
      // the last block may have room when none is free
      writeSync(fd, Buffer.alloc(Math.max(1, Math.min(room, MIB))));
    }
  } catch {
    // that was the last
  }
  closeSync(fd);
}

/** Makes files in a new folder until the disk takes no more of them. */
export function fillWithFiles(folder: string): void {
  mkdirSync(folder);
  try {
    for (let n = 0; ; n++) closeSync(openSync(join(folder, String(n)), 'w'));
  } catch {
    // that was the last
  }
}
