/**
 * A set of digests in little, fixed memory (a Bloom filter): what was added is always found; of what wasn't, a few are found all the same.
 * A digest is uniformly random, so parts of it are the hash functions.
 */
import type { Digest } from './ids.ts';

const PLACES = 4;
const WORDS = 8;
const BITS_EACH = 16;
const FEWEST_BITS = 2 ** 20;
/** 64 MiB. */
const MOST_BITS = 2 ** 29;

export class DigestFilter {
  readonly #bits: Uint32Array;
  readonly #mask: number;
  /** The first of the digest's words that are used: another one errs about others. */
  readonly #first: number;

  /** For about `expected` digests: then one in 400 of the others is found, up to 33 million of them. `turn`: which words of a digest are used. */
  constructor(expected: number, turn = 0) {
    let bits = FEWEST_BITS;
    while (bits < expected * BITS_EACH && bits < MOST_BITS) bits *= 2;
    this.#bits = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
    this.#first = turn % WORDS;
  }

  add(digest: Digest): void {
    for (let i = 0; i < PLACES; i++) {
      const place = this.#place(digest, i);
      this.#bits[place >>> 5] = (this.#bits[place >>> 5] ?? 0) | (1 << (place & 31));
    }
  }

  has(digest: Digest): boolean {
    for (let i = 0; i < PLACES; i++) {
      const place = this.#place(digest, i);
      if (((this.#bits[place >>> 5] ?? 0) & (1 << (place & 31))) === 0) return false;
    }
    return true;
  }

  #place(digest: Digest, i: number): number {
    const at = ((this.#first + i) % WORDS) * 8;
    return Number.parseInt(digest.slice(at, at + 8), 16) & this.#mask;
  }
}
