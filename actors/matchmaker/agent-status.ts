/** What users are told of an agent. */
import type { AgentStatus } from '../../bus/protocol/api.ts';
import type { AgentState } from './agent-state.ts';

/** `now`: the hub's monotonic clock, ms. */
export const agentStatusOf = (agent: AgentState, now: number): AgentStatus => ({
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
});
