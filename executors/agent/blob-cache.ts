/**
 * Values that came from the hub or were made here, kept for the next electron: small ones in memory, larger ones on disk, the least recently
 * used go first. A file is written under a temporary name and renamed, so what has a digest's name is whole. Not here: fetching (inputs.ts).
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, type Digest } from '../../model/ids.ts';

const MEMORY_BYTES = 64 * 1024 * 1024;
/** Larger ones go to disk. */
const LARGEST_IN_MEMORY = 1024 * 1024;
export const DISK_BYTES = 4 * 1024 ** 3;

/** Keys in order of use with their sizes; says what has to go. */
class Lru<T> {
  readonly #entries = new Map<Digest, { readonly size: number; readonly value: T }>();
  readonly #limit: number;
  readonly #drop: (digest: Digest) => void;
  #bytes = 0;

  constructor(limit: number, drop: (digest: Digest) => void) {
    this.#limit = limit;
    this.#drop = drop;
  }

  get(digest: Digest): T | undefined {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return undefined;
    this.#entries.delete(digest);
    this.#entries.set(digest, entry);
    return entry.value;
  }

  put(digest: Digest, size: number, value: T): void {
    this.delete(digest);
    this.#entries.set(digest, { size, value });
    this.#bytes += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit || oldest === digest) break;
      this.delete(oldest);
      this.#drop(oldest);
    }
  }

  delete(digest: Digest): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    this.#entries.delete(digest);
    this.#bytes -= entry.size;
  }
}

export class BlobCache {
  readonly #dir: string;
  readonly #memory = new Lru<Uint8Array>(MEMORY_BYTES, () => undefined);
  readonly #disk: Lru<true>;
  #files = 0;

  /** Takes over what an earlier life kept in `dir`. */
  constructor(dir: string, diskBytes = DISK_BYTES) {
    this.#dir = dir;
    this.#disk = new Lru<true>(diskBytes, (digest) => rmSync(this.#fileOf(digest), { force: true }));
    mkdirSync(dir, { recursive: true });
    const found: { digest: Digest; size: number; at: number }[] = [];
    for (const name of readdirSync(dir)) {
      if (!isDigest(name)) {
        rmSync(join(dir, name), { force: true });
        continue;
      }
      const { size, mtimeMs } = statSync(join(dir, name));
      found.push({ digest: name, size, at: mtimeMs });
    }
    for (const { digest, size } of found.sort((a, b) => a.at - b.at)) this.#disk.put(digest, size, true);
  }

  async get(digest: Digest, size: number): Promise<Uint8Array | undefined> {
    const inMemory = this.#memory.get(digest);
    if (inMemory !== undefined) return inMemory;
    if (this.#disk.get(digest) === undefined) return undefined;
    try {
      const bytes = await readFile(this.#fileOf(digest));
      if (bytes.length !== size) throw new Error('another size');
      const now = new Date();
      await utimes(this.#fileOf(digest), now, now);
      return bytes;
    } catch {
      this.#disk.delete(digest);
      return undefined;
    }
  }

  /** Keeps verified bytes. A full disk only costs the next fetch. */
  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (bytes.length <= LARGEST_IN_MEMORY) {
      this.#memory.put(digest, bytes.length, bytes);
      return;
    }
    const temporary = join(this.#dir, `new-${++this.#files}`);
    try {
      await writeFile(temporary, bytes);
      await rename(temporary, this.#fileOf(digest));
      this.#disk.put(digest, bytes.length, true);
    } catch {
      rmSync(temporary, { force: true });
    }
  }

  /** Takes over a file whose content has this digest. */
  adopt(digest: Digest, size: number, file: string): void {
    try {
      renameSync(file, this.#fileOf(digest));
      this.#disk.put(digest, size, true);
    } catch {
      rmSync(file, { force: true });
    }
  }

  #fileOf(digest: Digest): string {
    return join(this.#dir, digest);
  }
}
