/**
 * A map that keeps what was put into it of late. Two halves: when the newer is full the older goes, all at once; taking single old keys out of a Map
 * leaves holes at its front that each look for the next oldest has to step over.
 */
export class Recent<K, V> {
  readonly #most: number;
  #newer = new Map<K, V>();
  #older = new Map<K, V>();

  /** Holds the last `most` to twice as many. */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: K): V | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  has(key: K): boolean {
    return this.#newer.has(key) || this.#older.has(key);
  }

  set(key: K, value: V): void {
    this.#newer.set(key, value);
    if (this.#newer.size >= this.#most) this.turn();
  }

  delete(key: K): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }

  clear(): void {
    this.#newer.clear();
    this.#older.clear();
  }

  /** Forgets the older half; the newer takes its place. */
  turn(): void {
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}
