/** Randomness, as the hub's actors are given it. In small portions: one call of the system's generator serves many. */
import { randomFillSync } from 'node:crypto';

export interface Randomness {
  /** From 0 to below 1. */
  readonly fraction: () => number;
  /** Each byte is given out once. At most 4096 at a time. */
  readonly bytes: (count: number) => Uint8Array;
}

const POOL_BYTES = 4_096;

/** The system's. */
export function systemRandom(): Randomness {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  const bytes = (count: number): Uint8Array => {
    if (used + count > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += count;
    return pool.slice(used - count, used);
  };
  return { fraction: Math.random, bytes };
}

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
