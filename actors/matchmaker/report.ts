/** What people are told of agents, and of electrons that none of them can run. Pure. Not here: who gets what (matchmaker.ts). */
import type { AgentStatus, Unoffered } from '../../bus/protocol/api.ts';
import type { Requirement } from '../../bus/protocol/actors.ts';
import { needFrom } from '../../model/capability.ts';
import type { AgentState } from './agent-state.ts';
import { asksOf } from './asks.ts';

/** By site and name. */
export function agentStatuses(agents: Iterable<AgentState>, now: number): readonly AgentStatus[] {
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
    }));
}

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
  const there = [...agents].filter((agent) => ['live', 'suspect'].includes(agent.state(now)));
  return waits.flatMap(({ requirement: { key, capabilities }, waiting }) => {
    const { needs } = asksOf({ capabilities });
    if (there.some((agent) => agent.offers(needs, key))) return [];
    const missing = capabilities.filter((capability) => !there.some((agent) => agent.offers([needFrom(capability)])));
    return [{ needs: capabilities, missing, electrons: waiting }];
  });
}
