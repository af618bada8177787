/** How long agents may be silent, and how often an electron may be lost with one: the caller's word, else the environment, else the default. A heartbeat that nobody sets follows a short lease. */
import type { Leases } from '../actors/matchmaker/agent-state.ts';
import { PolaronError } from '../model/errors.ts';
import { defaults } from '../model/defaults.ts';

/** Shorter ones can't be told from a busy machine. */
const LEAST_MS = 100;
/** Some may get lost before the lease ends. */
const HEARTBEATS_PER_LEASE = 5;

/** Raises USAGE for a variable that is no number of milliseconds, or a lease that isn't longer than two heartbeats. */
export function resolveLeases(
  o: { readonly leaseMs?: number; readonly heartbeatMs?: number },
  env: NodeJS.ProcessEnv,
): Leases {
  const leaseMs = o.leaseMs ?? fromEnv(env, 'POLARON_LEASE_MS') ?? defaults.leaseMs;
  const fitting = Math.max(LEAST_MS, Math.min(defaults.heartbeatMs, Math.floor(leaseMs / HEARTBEATS_PER_LEASE)));
  const heartbeatMs = o.heartbeatMs ?? fromEnv(env, 'POLARON_HEARTBEAT_MS') ?? fitting;
  if (leaseMs > 2 * heartbeatMs) return { leaseMs, heartbeatMs };
  throw new PolaronError('USAGE', `a lease of ${leaseMs} ms is too short for a heartbeat of ${heartbeatMs} ms`, {
    help: 'POLARON_LEASE_MS must be more than twice POLARON_HEARTBEAT_MS.',
  });
}

function fromEnv(env: NodeJS.ProcessEnv, name: 'POLARON_LEASE_MS' | 'POLARON_HEARTBEAT_MS'): number | undefined {
  return numberFrom(env, name, LEAST_MS, 'milliseconds');
}

/** Raises USAGE for a variable that is no whole number of at least 1. */
export const resolveMaxLosses = (env: NodeJS.ProcessEnv): number =>
  numberFrom(env, 'POLARON_MAX_LOSSES', 1, 'a whole number') ?? defaults.maxLosses;

function numberFrom(env: NodeJS.ProcessEnv, name: string, least: number, what: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const n = Number(text);
  if (Number.isSafeInteger(n) && n >= least) return n;
  throw new PolaronError('USAGE', `${name} is ${JSON.stringify(text)}; expected ${what}, at least ${least}`);
}
