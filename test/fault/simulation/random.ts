/** Randomness from a seed: the same seed and label give the same numbers on every machine. Not here: what is decided by it. */

/** FNV-1a over the text's code units, with a last stir. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export class Rng {
  readonly #label: string;
  #state: number;

  constructor(seed: number, label = '') {
    this.#label = `${seed}/${label}`;
    this.#state = hashOf(this.#label);
  }

  /** A stream of its own: drawing from it moves no other. */
  fork(label: string): Rng {
    return new Rng(0, `${this.#label}/${label}`);
  }

  /** From 0 to below 1 (mulberry32). */
  readonly fraction = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };

  readonly bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => this.below(256));

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
  pick<T>(first: T, ...others: readonly T[]): T {
    const at = this.below(others.length + 1);
    return at === 0 ? first : (others[at - 1] ?? first);
  }
  /** Some of a list, in its order, each with the same chance. */
  some<T>(list: readonly T[], probability: number): T[] {
    return list.filter(() => this.chance(probability));
  }
}
