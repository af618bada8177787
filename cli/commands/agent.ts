/** `polaron agent`: runs an agent in this process until it is told to stop. Not here: what an agent does (host/agent.ts, executors/). */
import { ensureHome, homePaths } from '../../host/home.ts';
import { forgetInstance, livingInstances, recordInstance } from '../../host/instances.ts';
import { stderrLog } from '../../host/stderr-log.ts';
import { resolveAgentCommand, type AgentArguments } from '../agent-options.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { withoutPassword } from '../start-options.ts';

/** Resolves when the agent has drained and left. Raises USAGE, CAPABILITY_INVALID, BAD_SUBJECT, AGENT_NAME_TAKEN, SUPERSEDED, AUTH_FAILED. */
export async function agent(context: Context, args: AgentArguments): Promise<ExitCode> {
  const paths = homePaths(context.env);
  const { readAgentFile } = await import('../agent-file.ts');
  const found = resolveAgentCommand(args, context.env, context.cwd, readAgentFile);
  ensureHome(paths);
  const signal = context.interrupted();
  const aborted = new Promise<'interrupted'>((resolve) => {
    signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  const log = stderrLog('agent', context.env);
  livingInstances(paths.home); // removes the records of killed ones
  recordInstance(paths.home, 'agent', process.pid);
  try {
    const host = await context.host();
    const starting = host.runAgent({ ...found, home: paths.home, log });
    // a bus that isn't there is dialled for ever
    const running = await Promise.race([starting, aborted]);
    if (running === 'interrupted') return exitCodes.ok;
    const first = await Promise.race([running.joined.then(() => 'joined' as const), aborted, running.ended]);
    if (first === 'joined') sayJoined(context, found);
    const reason = first === 'joined' ? await Promise.race([aborted, running.ended]) : first;
    if (reason === 'interrupted') await running.stop();
    if (reason instanceof Error) throw reason;
    return exitCodes.ok;
  } finally {
    forgetInstance(paths.home, 'agent', process.pid);
  }
}

function sayJoined(
  context: Context,
  agent: { readonly name: string; readonly site: string; readonly bus: string; readonly slots: number },
): void {
  const { name, site, slots } = agent;
  const bus = withoutPassword(agent.bus);
  if (context.json) writeJson(context, { name, site, bus, slots, pid: process.pid });
  else context.terminal.out(`polaron agent ready: ${name} of site ${site} joined ${bus} with ${slots} slots`);
}
