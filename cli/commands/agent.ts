/** `polaron agent`: runs an agent in this process until it is told to stop. Not here: what an agent does (host/agent.ts, executors/). */
import { availableParallelism, hostname } from 'node:os';
import { ensureHome, homePaths } from '../../host/home.ts';
import { forgetInstance, livingInstances, recordInstance } from '../../host/instances.ts';
import { agentInvitedBy } from '../../host/invitation.ts';
import { stderrLog } from '../../host/stderr-log.ts';
import { checkOffers } from '../../model/capability.ts';
import { PolaronError } from '../../model/errors.ts';
import { toToken } from '../../model/ids.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { checkedBus, withoutPassword } from '../start-options.ts';

export interface AgentArguments {
  readonly bus?: string;
  readonly name?: string;
  readonly site?: string;
  readonly capability: readonly string[];
  readonly slots?: number;
  /** Names, files, packages. */
  readonly executor: readonly string[];
  /** `--no-deps` makes it false. */
  readonly deps: boolean;
}

/** Resolves when the agent has drained and left. Raises USAGE, CAPABILITY_INVALID, BAD_SUBJECT, AGENT_NAME_TAKEN, SUPERSEDED, AUTH_FAILED. */
export async function agent(context: Context, args: AgentArguments): Promise<ExitCode> {
  const bus = args.bus ?? context.env['POLARON_URL'];
  if (bus === undefined || bus === '') {
    throw new PolaronError('USAGE', 'an agent needs --bus', {
      help: 'Give --bus nats://host:4222, or set POLARON_URL; `polaron start` runs an agent of its own.',
    });
  }
  checkOffers('--capability', args.capability);
  const paths = homePaths(context.env);
  const found = {
    bus: checkedBus(bus),
    ...whoIs(args, agentInvitedBy(bus)),
    capabilities: args.capability,
    slots: args.slots ?? availableParallelism(),
    executors: args.executor,
    installDeps: args.deps,
  };
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
    const running = await host.runAgent({ ...found, home: paths.home, log });
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

/** What is given, else whose credentials these are. Raises USAGE when they are another agent's: the bus would refuse each of its words. */
function whoIs(
  args: AgentArguments,
  invited: ReturnType<typeof agentInvitedBy>,
): { readonly name: string; readonly site: string } {
  const name = toToken(args.name ?? invited?.name ?? hostname().slice(0, 48));
  const site = toToken(args.site ?? invited?.site ?? 'local');
  if (invited !== undefined && (invited.name !== name || invited.site !== site))
    throw new PolaronError('USAGE', `the credentials are for agent ${invited.name} of site ${invited.site}`, {
      help: `Leave out --name and --site, or have \`polaron invite ${name} --site ${site}\` make others.`,
    });
  return { name, site };
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
