/** What people are told of agents, and of electrons that none of them can run. Pure. Not here: who gets what (matchmaker.ts). */
import type { Sync } from '../../bus/protocol/agent.ts';
import type { AgentStatus, Unoffered } from '../../bus/protocol/api.ts';
import type { Requirement } from '../../bus/protocol/actors.ts';
import type { Clock } from '../../model/clock.ts';
import type { Log } from '../../model/log.ts';
import type { AgentState } from './agent-state.ts';
import { asksOf } from './asks.ts';

/** Clocks that differ by less are as one: what a sync took counts, too. */
const CLOCKS_DIFFER_MS = 5_000;

/** An agent joined; and whether its clock is another. */
export function tellJoined({ clock, log }: { readonly clock: Clock; readonly log: Log }, agent: AgentState): void {
  log('info', 'agent joined', { agent: agent.key, epoch: agent.epoch });
  const { clockMs } = vitalsOf(agent, clock.monotonic(), clock.now());
  if (clockMs === undefined || Math.abs(clockMs) < CLOCKS_DIFFER_MS) return;
  const way = clockMs > 0 ? 'ahead of' : 'behind';
  const off = `the clock of agent ${agent.key} is ${Math.round(Math.abs(clockMs) / 1_000)} s ${way} the hub's`;
  log('warn', `${off}: times that it tells are off by as much`, { agent: agent.key, clockMs });
}

/** Another process wants the name of one that lives (H11): the newcomer is told, and so is who looks here. */
export function tellTaken(log: Log, { key }: AgentState, { host, pid }: Sync): void {
  log('warn', `agent ${key}: another process, on ${host} (pid ${pid}), wants this name and is refused`, { agent: key });
}

/** What it said in its last sync of itself and its machine. */
function vitalsOf(agent: AgentState, now: number, wall: number): Pick<AgentStatus, 'roundTripMs' | 'load' | 'clockMs'> {
  if (agent.last === undefined) return {};
  const { roundTripMs, load, sentAt } = agent.last;
  const clockMs = sentAt === undefined ? undefined : sentAt - (wall - agent.silentMs(now) - (roundTripMs ?? 0) / 2);
  return {
    ...(roundTripMs === undefined ? {} : { roundTripMs: Math.round(roundTripMs * 100) / 100 }),
    ...(load === undefined ? {} : { load }),
    ...(clockMs === undefined ? {} : { clockMs: Math.round(clockMs) }),
  };
}

/** By site and name. */
export function agentStatuses(agents: Iterable<AgentState>, clock: Clock): readonly AgentStatus[] {
  const [now, wall] = [clock.monotonic(), clock.now()];
  return [...agents]
    .filter((agent) => agent.last !== undefined || agent.held > 0)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map((agent) => ({
      name: agent.name,
      site: agent.site,
      host: agent.last?.host ?? '',
      pid: agent.last?.pid ?? 0,
      slots: agent.last?.slots ?? 0,
      running: agent.running,
      queued: agent.held - agent.running,
      capabilities: agent.last?.capabilities ?? [],
      version: agent.last?.version ?? '',
      state: agent.state(now),
      lastSyncMs: Math.round(agent.silentMs(now)),
      ...vitalsOf(agent, now, wall),
    }));
}

/** Of so many classes it is told: each is compared with all agents. */
const MOST_UNOFFERED = 20;

interface Waiting {
  readonly requirement: Requirement;
  readonly waiting: number;
}

/** Of what waits, by what it needs: the electrons for which no agent is there. */
export function unofferedOf(
  waits: readonly Waiting[],
  agents: Iterable<AgentState>,
  now: number,
): readonly Unoffered[] {
  if (waits.length === 0) return [];
  const there = [...agents].filter((agent) => ['live', 'suspect'].includes(agent.state(now)));
  return waits.slice(0, MOST_UNOFFERED).flatMap(({ requirement: { key, capabilities }, waiting }) => {
    const { needs } = asksOf({ capabilities });
    if (there.some((agent) => agent.offers(needs, key))) return [];
    const missing = capabilities.filter((_, i) => {
      const need = needs[i];
      return need !== undefined && !there.some((agent) => agent.offers([need]));
    });
    return [{ needs: capabilities, missing, electrons: waiting }];
  });
}
