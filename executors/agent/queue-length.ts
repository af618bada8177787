/** How many electrons beyond its slots an agent takes: about 5 ms of its recent work. Pure. */

const WORK_MS = 5;
const MOST = 1_024;

/** `typicalMs`: how long an electron took lately, undefined before the first. 0 when electrons last longer than the work kept waiting. */
export function queueFor(typicalMs: number | undefined, slots: number): number {
  if (typicalMs === undefined || typicalMs > WORK_MS) return 0;
  return Math.min(MOST, Math.floor((WORK_MS / Math.max(typicalMs, 0.001)) * slots));
}

/** Has the hub to know the new length now, or does the next heartbeat do? */
export const queueMoved = (announced: number, now: number): boolean =>
  now === announced ? false : announced === 0 || now === 0 || now > announced * 2 || now * 2 < announced;
