/** What users ask about agents, and of them: `agents` in pages, `drain`. Not here: what a drain is (executors/agent), the rows (matchmaker/report.ts). */
import type { Control } from '../../bus/protocol/agent.ts';
import type { AgentsRequest, DrainReply, DrainRequest } from '../../bus/protocol/agents.ts';
import type { AgentsReply, AgentStatus } from '../../bus/protocol/api.ts';
import { PolaronError } from '../../model/errors.ts';
import { agentKeyOf, type AgentKey } from '../../model/ids.ts';
import type { Log } from '../../model/log.ts';
import { nearMatches } from '../../model/near.ts';
import { firstWithin, LIST_BYTES } from '../answer-size.ts';

/** Longer than any electron: 100 years, ms. */
const UNTIL_ALL_ENDED = 100 * 365 * 86_400_000;
/** Names that a message tells. */
const MOST_NAMED = 5;

/** Tells an agent something; resolves when it has heard. */
export type Command = (agent: AgentKey, control: Control) => Promise<void>;

const keyOf = ({ site, name }: AgentStatus): AgentKey => agentKeyOf(site, name);

/** One page of `all`, which is in order. The only list in its answer. */
export function agentsReply(all: readonly AgentStatus[], request: AgentsRequest = {}): AgentsReply {
  const { after, limit, only } = request;
  const wanted = all.filter(
    (agent) => (after === undefined || keyOf(agent) > after) && (only === undefined || keyOf(agent) === only),
  );
  const agents = firstWithin(wanted.slice(0, limit), 2 * LIST_BYTES);
  const more = wanted.length - agents.length;
  return { agents, ...(more === 0 ? {} : { more }) };
}

/** Raises UNKNOWN_AGENT; AGENT_SILENT when it doesn't hear. */
export async function drainAgent(
  o: { readonly agents: () => readonly AgentStatus[]; readonly command: Command; readonly log: Log },
  user: string,
  { agent: wanted, graceMs = UNTIL_ALL_ENDED }: DrainRequest,
): Promise<DrainReply> {
  const { site, name, running, queued, state } = named(o.agents(), wanted);
  const key = agentKeyOf(site, name);
  o.log('info', 'agent is told to drain', { agent: key, user, graceMs });
  try {
    await o.command(key, { type: 'drain', graceMs });
  } catch (cause) {
    throw new PolaronError('AGENT_SILENT', `agent ${key} (${state}) does not hear that it is to drain`, { cause });
  }
  return { agent: key, running, queued };
}

function named(agents: readonly AgentStatus[], wanted: string): AgentStatus {
  const found = agents.filter((agent) => keyOf(agent) === wanted || agent.name === wanted);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const said = JSON.stringify(wanted.slice(0, 120));
  if (first !== undefined) {
    const which = found.slice(0, MOST_NAMED).map(keyOf).join(', ');
    throw new PolaronError('UNKNOWN_AGENT', `several agents are called ${said}: ${which}; name the site, too`);
  }
  const near = nearMatches(wanted, new Set(agents.flatMap((agent) => [keyOf(agent), agent.name])));
  throw new PolaronError(
    'UNKNOWN_AGENT',
    `there is no agent ${said}${near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`}`,
  );
}
