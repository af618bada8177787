/** `polaron status`: the hub and its agents. */
import { allAgents } from '../all-agents.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { withoutPassword } from '../start-options.ts';
import { fields } from '../table.ts';
import { agoAndLocal, iso } from '../times.ts';
import { agentsJson, writeAgents } from './agents.ts';

export async function status(context: Context): Promise<ExitCode> {
  const hub = await withHub(context, async (api) => {
    const { agents, more, ...about } = await api.status();
    const first = { agents, ...(more === undefined ? {} : { more }) };
    return { ...about, ...(await allAgents(api, first)) };
  });
  const { version, pid, node, data, startedAt, dispatches } = hub;
  const bus = withoutPassword(hub.bus);
  if (context.json) {
    const about = { version, pid, node, bus, data, startedAt: iso(startedAt), dispatches };
    writeJson(context, { ...about, ...agentsJson(hub) });
    return exitCodes.ok;
  }
  const lines = fields([
    ['version', version],
    ['pid', String(pid)],
    ['node', node],
    ['bus', bus],
    ['data', data],
    ['started', agoAndLocal(startedAt, context.now())],
    ['dispatches', `${dispatches.live} live`],
  ]);
  for (const line of [...lines, '']) context.terminal.out(line);
  writeAgents(context, hub);
  return exitCodes.ok;
}
