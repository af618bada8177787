/** `polaron agents`: who can run electrons. */
import type { AgentsReply, AgentStatus } from '../../bus/protocol/api.ts';
import { allAgents } from '../all-agents.ts';
import { many } from '../bytes.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { agentJson } from '../dispatch-json.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { paint, plain } from '../style.ts';
import type { Colour } from '../style.ts';
import { table } from '../table.ts';
import { duration } from '../times.ts';

export async function agents(context: Context): Promise<ExitCode> {
  const reply = await withHub(context, allAgents);
  if (context.json) writeJson(context, agentsJson(reply));
  else writeAgents(context, reply);
  return exitCodes.ok;
}

/** `more` only where the hub had too many for one answer. */
export const agentsJson = ({ agents, more }: AgentsReply): Readonly<Record<string, unknown>> => ({
  agents: agents.map(agentJson),
  ...(more === undefined ? {} : { more }),
});

/** A clock that is off by less is none of anybody's business. */
const CLOCK_OFF_MS = 5_000;

/** The table; on stderr how many are not in it, and whose clocks are wrong. */
export function writeAgents(context: Context, { agents, more }: AgentsReply): void {
  for (const line of agentLines(context, agents)) context.terminal.out(line);
  if (more !== undefined)
    context.terminal.err(
      `and ${many(more, 'more agent')}: these are the first by site and name, as one answer holds no more`,
    );
  for (const { site, name, clockMs = 0 } of agents)
    if (Math.abs(clockMs) >= CLOCK_OFF_MS)
      context.terminal.err(
        plain(
          `agent ${site}.${name}: its clock is ${duration(Math.abs(clockMs))} ${clockMs > 0 ? 'ahead of' : 'behind'} the hub's`,
        ),
      );
}

const stateColours: Readonly<Record<AgentStatus['state'], Colour>> = {
  live: 'green',
  suspect: 'yellow',
  draining: 'yellow',
  lost: 'red',
};

/** A table, or the sentence that there are none. */
function agentLines(context: Context, agents: readonly AgentStatus[]): readonly string[] {
  if (agents.length === 0) return ['no agents; start one with `polaron agent --bus … --name …`'];
  return table(
    [
      { title: 'AGENT' },
      { title: 'SITE' },
      { title: 'HOST' },
      { title: 'PID', right: true },
      { title: 'STATE' },
      { title: 'SLOTS', right: true },
      { title: 'RUNNING', right: true },
      { title: 'QUEUED', right: true },
      { title: 'LOAD', right: true },
      { title: 'HEARD', right: true },
      { title: 'ROUND TRIP', right: true },
      { title: 'VERSION' },
      { title: 'CAPABILITIES' },
    ],
    agents.map((agent) => [
      plain(agent.name),
      plain(agent.site),
      plain(agent.host),
      String(agent.pid),
      { text: agent.state, shown: paint(agent.state, stateColours[agent.state], context.terminal.colour) },
      String(agent.slots),
      String(agent.running),
      String(agent.queued),
      agent.load === undefined ? '-' : agent.load.toFixed(2),
      duration(agent.lastSyncMs),
      agent.roundTripMs === undefined ? '-' : `${agent.roundTripMs.toFixed(1)} ms`,
      plain(agent.version),
      plain(agent.capabilities.join(' ')),
    ]),
  );
}
