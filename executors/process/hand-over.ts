/**
 * May a job be handed to a lane whose runner is at work, and when would it start there? Short ones may wait behind short ones; one of any length behind
 * one that is about to end, so that its runner goes on at once and no answer has to travel in between. Pure; not here: who gets what (pool.ts).
 */

/** Expected work of a lane that is handed over ahead, ms; electrons at most this long (typically) are short. */
export const AHEAD_WORK_MS = 5;
const SHORT_MS = 1;
const MOST_AHEAD = 512;
/** Nothing is handed to a lane whose job has run for so long, unless it was expected to. */
export const STALL_MS = 50;
/** A job within this time of its expected end is about to end; longer than two of the pool's ticks, so that none is missed. */
export const NEAR_MS = 60;

/** What a lane holds. */
export interface Load {
  /** In order; the first one runs. */
  readonly jobs: readonly { readonly since: number; readonly typical: { readonly ms: number | undefined } }[];
  /** Of all of them. */
  readonly expectedMs: number;
}

/**
 * ms until a job that takes `typicalMs` (undefined: nobody knows) would start in this lane; undefined: it may not be handed over yet.
 * `full`: all slots are at work. While they aren't, a process of its own serves a long one better.
 */
export function startsIn(
  { jobs, expectedMs }: Load,
  typicalMs: number | undefined,
  nowMs: number,
  full: boolean,
): number | undefined {
  const [runs] = jobs;
  if (runs === undefined) return 0;
  const age = nowMs - runs.since;
  const short = typicalMs !== undefined && typicalMs <= SHORT_MS && age <= STALL_MS;
  if (short && expectedMs + typicalMs <= AHEAD_WORK_MS && jobs.length < MOST_AHEAD) return expectedMs;
  const usual = runs.typical.ms;
  if (!full || usual === undefined || jobs.length > 1) return undefined;
  return Math.abs(usual - age) <= NEAR_MS ? Math.max(0, usual - age) : undefined;
}
