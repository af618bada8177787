/** All agents of a hub, page after page. */
import type { AgentsReply } from '../bus/protocol/api.ts';
import type { HubApi } from './hub-api.ts';

const keyOf = ({ site, name }: AgentsReply['agents'][number]): string => `${site}.${name}`;

/** What follows the first page; `more` is left only when a hub of before pages answers the first again. Raises what `agents` raises. */
export async function allAgents(hub: Pick<HubApi, 'agents'>, first?: AgentsReply): Promise<AgentsReply> {
  let page = first ?? (await hub.agents({}));
  const agents = [...page.agents];
  while (page.more !== undefined) {
    const last = agents.at(-1);
    if (last === undefined) break;
    const after = keyOf(last);
    const next = await hub.agents({ after });
    if (!next.agents.every((agent) => keyOf(agent) > after)) break;
    page = next;
    agents.push(...page.agents);
  }
  return { agents, ...(page.more === undefined ? {} : { more: page.more }) };
}
