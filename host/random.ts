/** Randomness in small portions: one call of the system's generator serves many. */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;

/** Returns a source of random bytes; each byte is given out once. At most 4096 at a time. */
export function randomSource(): (count: number) => Uint8Array {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (count) => {
    if (used + count > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += count;
    return pool.slice(used - count, used);
  };
}
