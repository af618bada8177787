/** What `polaron agent` runs with: flag over environment over file over default. Not here: reading the file (agent-file.ts). */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { ExecutorUse } from '../host/agent.ts';
import { agentInvitedBy } from '../host/invitation.ts';
import { thisMachine } from '../host/machine.ts';
import { checkOffers } from '../model/capability.ts';
import { defaults } from '../model/defaults.ts';
import { PolaronError } from '../model/errors.ts';
import { toToken } from '../model/ids.ts';
import type { AgentFile } from './agent-file.ts';
import { checkedBus } from './start-options.ts';

export interface AgentArguments {
  readonly config?: string;
  readonly bus?: string;
  readonly name?: string;
  readonly site?: string;
  readonly capability: readonly string[];
  readonly slots?: number;
  /** Names, files, packages. */
  readonly executor: readonly string[];
  /** `--no-deps` makes it false. */
  readonly deps: boolean;
  /** Of a drain, ms. */
  readonly grace?: number;
  /** Without work for so long it ends, ms. */
  readonly idle?: number;
}

export interface ResolvedAgentCommand {
  readonly bus: string;
  /** Tokens. */
  readonly name: string;
  readonly site: string;
  readonly capabilities: readonly string[];
  readonly slots: number;
  readonly executors: readonly ExecutorUse[];
  readonly installDeps: boolean;
  readonly graceMs: number;
  readonly idleMs?: number;
  /** The bus as the file says it now, asked before each dial; absent when flag or environment say it. */
  readonly busAgain?: () => string | undefined;
}

export type ReadFile = (path: string) => AgentFile;

/** Raises CAPABILITY_INVALID; USAGE, which names all the ways to say what is missing. */
export function resolveAgentCommand(
  args: AgentArguments,
  env: NodeJS.ProcessEnv,
  cwd: string,
  read: ReadFile,
): ResolvedAgentCommand {
  const path = args.config === undefined ? undefined : resolve(cwd, args.config);
  const file = path === undefined ? {} : read(path);
  const fromEnv = env['POLARON_URL'] === '' ? undefined : env['POLARON_URL'];
  const bus = args.bus ?? fromEnv ?? file.bus;
  if (bus === undefined || bus === '')
    throw new PolaronError('USAGE', 'an agent needs --bus', {
      help: 'Give --bus nats://host:4222, set POLARON_URL, or write `bus:` into the file of --config; `polaron start` runs an agent of its own.',
    });
  const idleMs = args.idle ?? file.idle;
  const again = path !== undefined && args.bus === undefined && fromEnv === undefined;
  if (args.capability.length > 0) checkOffers('--capability', args.capability);
  else checkOffers(`${path ?? ''}: capabilities`, file.capabilities ?? []);
  return {
    bus: checkedBus(bus),
    ...whoIs({ name: args.name ?? file.name, site: args.site ?? file.site }, agentInvitedBy(bus)),
    capabilities: args.capability.length > 0 ? args.capability : (file.capabilities ?? []),
    slots: args.slots ?? file.slots ?? thisMachine().cpus,
    executors: args.executor.length > 0 ? args.executor.map((name) => ({ name })) : (file.executors ?? []),
    installDeps: args.deps && (file.deps ?? true),
    graceMs: args.grace ?? file.grace ?? defaults.graceMs,
    ...(idleMs === undefined ? {} : { idleMs }),
    ...(again ? { busAgain: () => read(path).bus } : {}),
  };
}

/** What is given, else whose credentials these are. Raises USAGE when they are another agent's: the bus would refuse each of its words. */
function whoIs(
  given: { readonly name: string | undefined; readonly site: string | undefined },
  invited: ReturnType<typeof agentInvitedBy>,
): { readonly name: string; readonly site: string } {
  const name = toToken(given.name ?? invited?.name ?? hostname().slice(0, 48));
  const site = toToken(given.site ?? invited?.site ?? 'local');
  if (invited !== undefined && (invited.name !== name || invited.site !== site))
    throw new PolaronError('USAGE', `the credentials are for agent ${invited.name} of site ${invited.site}`, {
      help: `Leave out --name and --site, or have \`polaron invite ${name} --site ${site}\` make others.`,
    });
  return { name, site };
}
