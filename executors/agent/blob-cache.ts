/**
 * Values that came from the hub or were made here, kept for the next electron: small ones in memory, larger ones on disk, the least recently
 * used go first. Not here: fetching (inputs.ts).
 */
import { digestOf } from '../../bus/value/digest.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { Shelf } from './shelf.ts';

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
  readonly #shelf: Shelf;
  readonly #memory = new Lru<Uint8Array>(MEMORY_BYTES, () => undefined);
  /** Was it written in this life, or compared with its digest since? A power cut may have damaged what an earlier one left. */
  readonly #disk: Lru<boolean>;

  /** Takes over what an earlier life kept on the shelf. */
  constructor(shelf: Shelf, diskBytes = DISK_BYTES) {
    this.#shelf = shelf;
    this.#disk = new Lru<boolean>(diskBytes, (digest) => shelf.remove(digest));
    for (const { name, size } of shelf.list()) {
      if (isDigest(name)) this.#disk.put(name, size, false);
      else shelf.remove(name);
    }
  }

  async get(digest: Digest, size: number): Promise<Uint8Array | undefined> {
    const inMemory = this.#memory.get(digest);
    if (inMemory !== undefined) return inMemory;
    const known = this.#disk.get(digest);
    if (known === undefined) return undefined;
    const bytes = await this.#shelf.whole(digest);
    if (bytes?.length === size && (known || digestOf(bytes) === digest)) {
      if (!known) this.#disk.put(digest, size, true);
      return bytes;
    }
    this.#disk.delete(digest);
    this.#shelf.remove(digest);
    return undefined;
  }

  /** Keeps verified bytes. A full disk only costs the next fetch. */
  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (bytes.length <= LARGEST_IN_MEMORY) {
      this.#memory.put(digest, bytes.length, bytes);
      return;
    }
    const written = await this.#shelf.write(digest, bytes).then(
      () => true,
      () => false,
    );
    if (written) this.#disk.put(digest, bytes.length, true);
  }

  /** Takes over a file whose content has this digest; false: it stays where it is. */
  adopt(digest: Digest, size: number, file: string): boolean {
    try {
      this.#shelf.adopt(digest, file);
    } catch {
      return false;
    }
    this.#disk.put(digest, size, true);
    return true;
  }
}
