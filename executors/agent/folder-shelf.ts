/** A shelf in a folder of the disk. A file is written under a temporary name and renamed, so what has its name is whole. */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Shelf } from './shelf.ts';

/** Makes the folder when it is missing. Raises the system's error. */
export function folderShelf(dir: string): Shelf {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let files = 0;
  const pathOf = (name: string): string => join(dir, name);
  return {
    pathOf,
    list() {
      const found = readdirSync(dir).map((name) => ({ name, stat: statSync(pathOf(name)) }));
      return found.sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs).map(({ name, stat }) => ({ name, size: stat.size }));
    },
    async whole(name) {
      const bytes = await readFile(pathOf(name)).catch(() => undefined);
      const now = Date.now() / 1_000;
      if (bytes !== undefined) await utimes(pathOf(name), now, now).catch(() => undefined);
      return bytes;
    },
    async part(name, offset, length) {
      const file = await open(pathOf(name)).catch(() => undefined);
      if (file === undefined) return undefined;
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    async write(name, bytes) {
      const temporary = pathOf(`new-${++files}`);
      try {
        await writeFile(temporary, bytes);
        await rename(temporary, pathOf(name));
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    },
    adopt: (name, file) => renameSync(file, pathOf(name)),
    remove: (name) => rmSync(pathOf(name), { force: true, recursive: true }),
  };
}
