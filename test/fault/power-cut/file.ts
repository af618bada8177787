/** One file of the modelled disk: which versions of its sectors and of its length a power cut may leave. */

export const SECTOR = 512;

interface Versions {
  /** Oldest first; what lies before `safe` can't come back. */
  readonly all: Buffer[];
  safe: number;
}

/** What a sync that has begun will have made safe when it returns. */
export interface Mark {
  readonly length: number;
  readonly sectors: ReadonlyMap<number, number>;
}

const NOTHING = Buffer.alloc(SECTOR);

export class DiskFile {
  readonly #sectors = new Map<number, Versions>();
  readonly #lengths = [0];
  #safeLength = 0;
  /** Sectors with more than one possible version. */
  readonly #open = new Set<number>();

  get length(): number {
    return this.#lengths.at(-1) ?? 0;
  }

  /** Returns what to hand to `safe` if the write itself is a sync. */
  write(offset: number, bytes: Buffer): Mark {
    const touched = new Map<number, number>();
    for (let at = 0; at < bytes.length; ) {
      const index = Math.floor((offset + at) / SECTOR);
      const within = (offset + at) % SECTOR;
      const count = Math.min(SECTOR - within, bytes.length - at);
      const versions = this.#versions(index);
      const next = Buffer.from(versions.all.at(-1) ?? NOTHING);
      bytes.copy(next, within, at, at + count);
      touched.set(index, versions.all.push(next) - 1);
      this.#open.add(index);
      at += count;
    }
    if (offset + bytes.length > this.length) this.#lengths.push(offset + bytes.length);
    return { length: this.#lengths.length - 1, sectors: touched };
  }

  truncate(length: number): void {
    for (const index of this.#sectors.keys()) {
      if ((index + 1) * SECTOR <= length) continue;
      const versions = this.#versions(index);
      const next = Buffer.from(versions.all.at(-1) ?? NOTHING);
      next.fill(0, Math.max(0, length - index * SECTOR));
      versions.all.push(next);
      this.#open.add(index);
    }
    this.#lengths.push(length);
  }

  /** What is there now. */
  mark(): Mark {
    const sectors = new Map([...this.#open].map((index) => [index, this.#versions(index).all.length - 1]));
    return { length: this.#lengths.length - 1, sectors };
  }

  safe(mark: Mark): void {
    this.#safeLength = Math.max(this.#safeLength, mark.length);
    for (const [index, version] of mark.sectors) {
      const versions = this.#versions(index);
      versions.safe = Math.max(versions.safe, version);
      if (versions.safe === versions.all.length - 1) this.#open.delete(index);
    }
  }

  /** One of the contents that the disk may hold. `pick` gives a whole number from low to high. */
  image(pick: (low: number, high: number) => number): Buffer {
    const length = this.#lengths[pick(this.#safeLength, this.#lengths.length - 1)] ?? 0;
    const bytes = Buffer.alloc(length);
    for (const [index, { all, safe }] of this.#sectors) {
      all[pick(safe, all.length - 1)]?.copy(bytes, index * SECTOR);
    }
    return bytes;
  }

  #versions(index: number): Versions {
    const known = this.#sectors.get(index);
    if (known !== undefined) return known;
    const made = { all: [NOTHING], safe: 0 };
    this.#sectors.set(index, made);
    return made;
  }
}
