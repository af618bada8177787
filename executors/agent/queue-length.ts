/** How many electrons beyond its slots an agent takes: about 5 ms of its recent work; of longer ones what its slots take up while the hub's answer travels. Pure. */

const WORK_MS = 5;
const MOST = 1_024;
/** Of longer ones, as many as end within this time, but at most one for each slot: longer than a round trip to a busy hub. */
const AHEAD_MS = 100;

/** `typicalMs`: how long an electron took lately, undefined before the first. */
export function queueFor(typicalMs: number | undefined, slots: number): number {
  if (typicalMs === undefined) return 0;
  const each = typicalMs > WORK_MS ? Math.min(1, AHEAD_MS / typicalMs) : WORK_MS / Math.max(typicalMs, 0.001);
  return Math.min(MOST, Math.floor(each * slots));
}

/** Has the hub to know the new length now, or does the next heartbeat do? */
export const queueMoved = (announced: number, now: number): boolean =>
  now === announced ? false : announced === 0 || now === 0 || now > announced * 2 || now * 2 < announced;
