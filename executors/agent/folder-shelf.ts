/** A shelf in a folder of the disk. A file is written under a temporary name and renamed, so what has its name is whole. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
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
    // At once: the bytes were written a moment ago, and three trips to another thread take longer than copying them.
    part: (name, offset, length) => Promise.resolve(partOf(pathOf(name), offset, length)),
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
    begin() {
      const temporary = pathOf(`new-${++files}`);
      const opened = open(temporary, 'a', 0o600);
      opened.catch(() => undefined); // said by what is called first
      return {
        async begin() {
          await (await opened).truncate(0);
        },
        // at once, as `part` reads
        async write(bytes) {
          const { fd } = await opened;
          for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
        },
        async finish(name) {
          await (await opened).close();
          await rename(temporary, pathOf(name));
        },
        async abort() {
          await opened.then((file) => file.close()).catch(() => undefined);
          rmSync(temporary, { force: true });
        },
      };
    },
    adopt: (name, file) => renameSync(file, pathOf(name)),
    remove: (name) => rmSync(pathOf(name), { force: true, recursive: true }),
  };
}

function partOf(path: string, offset: number, length: number): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const bytes = Buffer.allocUnsafe(length);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, readSync(file, bytes, 0, length, offset));
  } finally {
    closeSync(file);
  }
}
