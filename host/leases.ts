/** How long agents may be silent: the caller's word, else the environment (tests and unusual networks), else the default. */
import type { Leases } from '../actors/matchmaker/agent-state.ts';
import { PolaronError } from '../model/errors.ts';
import { defaults } from '../model/defaults.ts';

/** Shorter ones can't be told from a busy machine. */
const LEAST_MS = 100;

/** Raises USAGE for a variable that is no number of milliseconds, or a lease that isn't longer than two heartbeats. */
export function resolveLeases(
  o: { readonly leaseMs?: number; readonly heartbeatMs?: number },
  env: NodeJS.ProcessEnv,
): Leases {
  const leaseMs = o.leaseMs ?? fromEnv(env, 'POLARON_LEASE_MS') ?? defaults.leaseMs;
  const heartbeatMs = o.heartbeatMs ?? fromEnv(env, 'POLARON_HEARTBEAT_MS') ?? defaults.heartbeatMs;
  if (leaseMs > 2 * heartbeatMs) return { leaseMs, heartbeatMs };
  throw new PolaronError('USAGE', `a lease of ${leaseMs} ms is too short for a heartbeat of ${heartbeatMs} ms`, {
    help: 'POLARON_LEASE_MS must be more than twice POLARON_HEARTBEAT_MS.',
  });
}

function fromEnv(env: NodeJS.ProcessEnv, name: 'POLARON_LEASE_MS' | 'POLARON_HEARTBEAT_MS'): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const ms = Number(text);
  if (Number.isSafeInteger(ms) && ms >= LEAST_MS) return ms;
  throw new PolaronError('USAGE', `${name} is ${JSON.stringify(text)}; expected milliseconds, at least ${LEAST_MS}`);
}
