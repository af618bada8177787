/** How many electrons beyond its slots an agent takes: about 5 ms of its recent work; of longer electrons, what its slots take up while the hub's answer travels. Pure. */

const WORK_MS = 5;
const MOST = 1_024;
/** A slot that ends within this time is given its next electron before. */
const AHEAD_MS = 100;

/** `typicalMs`: how long an electron took lately, undefined before the first. Of electrons longer than WORK_MS at most one for each slot. */
export function queueFor(typicalMs: number | undefined, slots: number): number {
  if (typicalMs === undefined) return 0;
  if (typicalMs > WORK_MS) return Math.round(slots * Math.min(1, AHEAD_MS / typicalMs));
  return Math.min(MOST, Math.floor((WORK_MS / Math.max(typicalMs, 0.001)) * slots));
}

/** Has the hub to know the new length now, or does the next heartbeat do? */
export const queueMoved = (announced: number, now: number): boolean =>
  now === announced ? false : announced === 0 || now === 0 || now > announced * 2 || now * 2 < announced;
