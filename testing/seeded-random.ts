/** Randomness from a seed, as the hub's actors are given it: the same test gets the same ids, jitter and order. */
import type { Randomness } from '../host/random.ts';

export function seededRandom(seed: number): Randomness {
  let state = seed >>> 0;
  /** mulberry32. */
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  return { fraction, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(fraction() * 256)) };
}
