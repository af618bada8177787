/** What excuses an execution after another one of the same electron. Pure. */
import type { Account, Blow, Execution } from './account.ts';

/** `failed`: the earlier one did; `agent`, `runner`: its process was killed; `silence`: its agent wasn't heard for a lease; `unrecorded`: the hub was killed while the assign was under way. */
export type Cause = 'failed' | 'agent' | 'runner' | 'silence' | 'unrecorded';

/** From an assign to its electron's first line on a busy machine. What an agent has it claims, with or without a record (H8); what only reaches it later it can't. */
const IN_FLIGHT_MS = 300;
/** What a sync takes on a busy machine. */
const SYNC_MS = 200;
/** From an end to the disk, and from a blow to the account. */
const SLACK_MS = 500;

/** Those that follow one another within `gap` ms as one. */
function joined(blows: readonly Blow[], gap: number): Blow[] {
  const all: Blow[] = [];
  for (const blow of [...blows].sort((a, b) => a.at - b.at)) {
    const last = all.at(-1);
    if (last !== undefined && blow.at - last.until <= gap) last.until = Math.max(last.until, blow.until);
    else all.push({ ...blow });
  }
  return all;
}

/** Undefined: nothing does. */
export function causeOf(
  { blows, leaseMs, heartbeatMs }: Pick<Account, 'blows' | 'leaseMs' | 'heartbeatMs'>,
  earlier: Execution,
  later: Execution,
  strict: boolean,
): Cause | undefined {
  if (earlier.ended?.how === 'fail') return 'failed';
  // a heartbeat may have been due when it began, and another between two of them
  const gap = heartbeatMs + SYNC_MS;
  const silent = ({ at, until }: Blow): boolean => until - at + gap >= leaseMs;
  const between = blows.filter(({ at, until }) => at <= later.began && until + SLACK_MS >= earlier.began);
  const kills = between.filter(({ how }) => how === 'kill');
  const { ended } = earlier;
  /** What has ended is in the agent's spool a moment later, if neither runner nor agent was halted right then: from one that is, it comes when it goes on. */
  const saved = blows.reduce(
    (at, { role, how, pid, at: from, until }) =>
      how === 'halt' &&
      pid === (role === 'runner' ? earlier.pid : role === 'agent' ? earlier.agent : undefined) &&
      from < at
        ? Math.max(at, until + SLACK_MS)
        : at,
    ended === undefined ? Number.POSITIVE_INFINITY : ended.at + SLACK_MS,
  );
  const unsaved = ({ at }: Blow): boolean => at < saved;
  if (kills.some((blow) => blow.role === 'agent' && blow.pid === earlier.agent && (unsaved(blow) || silent(blow))))
    return 'agent';
  if (kills.some((blow) => blow.role === 'runner' && blow.pid === earlier.pid && unsaved(blow))) return 'runner';
  // the later one's agent, too: what it was given before it was halted it begins when it goes on
  const mute = between.filter(
    ({ role, pid }) => role !== 'runner' && (role !== 'agent' || pid === earlier.agent || pid === later.agent),
  );
  if (mute.some((blow) => blow.how === 'halt' && silent(blow))) return 'silence';
  if (mute.some((blow) => blow.role === 'broker' && silent(blow))) return 'silence';
  // its agent away after the broker, say: neither alone lasts a lease
  const ofAgent = mute.filter(({ role, pid }) => role === 'broker' || (role === 'agent' && pid === earlier.agent));
  if (joined(ofAgent, gap).some(silent)) return 'silence';
  const unrecorded = kills.some(({ role, at }) => role === 'hub' && at - earlier.began < IN_FLIGHT_MS);
  if (unrecorded && !strict) return 'unrecorded';
  // told to stop, though none of that had happened
  return ended?.how === 'abort' ? 'failed' : undefined;
}
