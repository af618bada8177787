/**
 * Values that came from the hub or were made here, kept for the next electron: small ones in memory, larger ones on disk, the least recently
 * used go first. Not here: fetching (inputs.ts).
 */
import { digester, digestOf } from '../../bus/value/digest.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { Shelf, ShelfWriter } from './shelf.ts';

const MEMORY_BYTES = 64 * 1024 * 1024;
/** Larger ones go to disk. */
export const LARGEST_IN_MEMORY = 1024 * 1024;
/** Read at once while a file is compared with its digest. */
const PIECE_BYTES = 1024 * 1024;
export const DISK_BYTES = 4 * 1024 ** 3;

/** Keys in order of use with their sizes; says what has to go. */
class Lru<T> {
  readonly #entries = new Map<Digest, { readonly size: number; readonly value: T }>();
  readonly #limit: number;
  readonly #drop: (digest: Digest) => void;
  readonly #spares: (digest: Digest) => boolean;
  #bytes = 0;

  /** What `spares` names stays, whatever the limit. */
  constructor(limit: number, drop: (digest: Digest) => void, spares: (digest: Digest) => boolean = () => false) {
    this.#limit = limit;
    this.#drop = drop;
    this.#spares = spares;
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
      if (this.#spares(oldest)) continue;
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

/** A file that an electron may read until it is given back. */
export interface LentFile {
  readonly file: string;
  /** Its first byte. */
  first(): Promise<Uint8Array | undefined>;
  /** Once; further calls do nothing. */
  giveBack(): void;
}

export class BlobCache {
  readonly #shelf: Shelf;
  readonly #memory = new Lru<Uint8Array>(MEMORY_BYTES, () => undefined);
  /** Was it written in this life, or compared with its digest since? A power cut may have damaged what an earlier one left. */
  readonly #disk: Lru<boolean>;

  /** Files that electrons may read, with how many do. */
  readonly #lent = new Map<Digest, number>();

  /** Takes over what an earlier life kept on the shelf. */
  constructor(shelf: Shelf, diskBytes = DISK_BYTES) {
    this.#shelf = shelf;
    this.#disk = new Lru<boolean>(
      diskBytes,
      (digest) => shelf.remove(digest),
      (digest) => this.#lent.has(digest),
    );
    for (const { name, size } of shelf.list()) {
      if (isDigest(name)) this.#disk.put(name, size, false);
      else shelf.remove(name);
    }
  }

  /** The file of a large value, which stays until it is given back; undefined when there is none. Reads all of one that an earlier life left. */
  async lend(digest: Digest, size: number): Promise<LentFile | undefined> {
    const known = this.#disk.get(digest);
    if (known === undefined) return undefined;
    this.#lent.set(digest, (this.#lent.get(digest) ?? 0) + 1);
    let out = true;
    const giveBack = (): void => {
      const left = (this.#lent.get(digest) ?? 1) - 1;
      if (out && left === 0) this.#lent.delete(digest);
      else if (out) this.#lent.set(digest, left);
      out = false;
    };
    if (known || (await this.#isWhole(digest, size))) {
      return { file: this.#shelf.pathOf(digest), first: () => this.#shelf.part(digest, 0, 1), giveBack };
    }
    giveBack();
    return undefined;
  }

  /** Piece by piece: it may be larger than this process should hold. One that isn't what it should be is removed. */
  async #isWhole(digest: Digest, size: number): Promise<boolean> {
    const { update, digest: found } = digester();
    for (let at = 0; at < size; at += PIECE_BYTES) {
      const piece = await this.#shelf.part(digest, at, Math.min(PIECE_BYTES, size - at));
      update(piece ?? new Uint8Array());
    }
    if (found() === digest) {
      this.#disk.put(digest, size, true);
      return true;
    }
    this.#disk.delete(digest);
    this.#shelf.remove(digest);
    return false;
  }

  /** Keeps what `fill` writes under the digest that it vouches for. Raises what that raises, and the system's error (a full disk). */
  async take(digest: Digest, size: number, fill: (to: ShelfWriter) => Promise<void>): Promise<void> {
    const writer = this.#shelf.begin();
    try {
      await fill(writer);
      await writer.finish(digest);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    this.#disk.put(digest, size, true);
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
