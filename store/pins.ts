/**
 * Which values were found or stored of late and must stay, although no record names them yet. In memory of fixed size: two filters, one for this hour and
 * one for the last. Not here: files, whose mtime says the same over restarts (blob-sweep.ts).
 */
import { DigestFilter } from '../model/digest-filter.ts';
import type { Digest } from '../model/ids.ts';

/** So many an hour before a filter of 1 MiB keeps one in 400 for nothing. */
const EXPECTED = 500_000;

export class Pins {
  readonly #holdMs: number;
  readonly #monotonic: () => number;
  readonly #born: number;
  #since: number;
  #newer: DigestFilter | undefined;
  #older: DigestFilter | undefined;

  constructor(holdMs: number, monotonic: () => number) {
    this.#holdMs = holdMs;
    this.#monotonic = monotonic;
    this.#born = this.#since = monotonic();
  }

  /** What was pinned before this start isn't known until so long after it. */
  get settled(): boolean {
    return this.#monotonic() - this.#born >= this.#holdMs;
  }

  /** Holds for one to two times the hold. */
  add(digest: Digest): void {
    if (this.#holdMs === 0) return;
    this.#turn();
    this.#newer ??= new DigestFilter(EXPECTED);
    this.#newer.add(digest);
  }

  has(digest: Digest): boolean {
    this.#turn();
    return this.#newer?.has(digest) === true || this.#older?.has(digest) === true;
  }

  #turn(): void {
    const now = this.#monotonic();
    const age = now - this.#since;
    if (age < this.#holdMs) return;
    this.#older = age < 2 * this.#holdMs ? this.#newer : undefined;
    this.#newer = undefined;
    this.#since = now;
  }
}
