/** Submits agents to Slurm from this machine: who they are, how they reach the hub, and what is left of earlier ones. Not here: what they are in Slurm (executors/slurm/pilots.ts). */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readHubFile } from '../bus/hub-file.ts';
import { checkedOptions } from '../executors/job/options.ts';
import { cleanPilots, submitPilots } from '../executors/slurm/pilots.ts';
import { slurmOptions, type SlurmOptions } from '../executors/slurm/slurm-options.ts';
import { slurmProgram } from '../executors/slurm/slurm-program.ts';
import { PolaronError } from '../model/errors.ts';
import { toToken } from '../model/ids.ts';
import { agentInvitedBy, invitationOf } from './invitation.ts';

export interface PilotsOptions {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs `polaron` on the nodes. */
  readonly command: readonly string[];
  /** How many. */
  readonly count: number;
  /** Their names begin with it. */
  readonly name: string;
  readonly site: string;
  /** Undefined: the hub of this home invites them. */
  readonly bus: string | undefined;
  /** How the nodes reach the hub of this home, if it isn't as it says itself. */
  readonly host: string | undefined;
  readonly capabilities: readonly string[];
  readonly slots: number | undefined;
  /** As an electron's `executor` of slurm says them. */
  readonly slurm: Readonly<Record<string, unknown>>;
  readonly drainMs: number;
  readonly idleMs: number;
}

export interface SubmittedPilots {
  /** Of the array in Slurm. */
  readonly job: string;
  readonly site: string;
  readonly agents: readonly string[];
}

/** From the signal to the end of what runs, the agent's last words aside. */
const LAST_WORDS_MS = 10_000;

/** Raises USAGE, NO_HUB, EXECUTOR_OPTION, EXECUTOR_SETUP, SLURM_REFUSED, SLURM_UNREACHABLE. */
export async function startPilots(o: PilotsOptions): Promise<SubmittedPilots> {
  const options = await readOptions(o.slurm);
  const invited = o.bus === undefined ? undefined : agentInvitedBy(o.bus);
  if (invited !== undefined && o.count > 1)
    throw new PolaronError(
      'USAGE',
      `the credentials of --bus are for one agent, ${invited.name}, and not for ${o.count}`,
      {
        help: 'Run this in the home of the hub, which invites each; or give --count 1.',
      },
    );
  const site = invited?.site ?? toToken(o.site);
  const array = `${toToken(o.name).slice(0, 32)}-${randomBytes(3).toString('hex')}`;
  const names = Array.from({ length: o.count }, (_, index) => invited?.name ?? `${array}-${index}`);
  const program = slurmProgram(plain(o.env));
  const root = join(o.home, 'pilots');
  await cleanPilots(program, root, String(process.getuid?.() ?? 0));
  const job = await submitPilots(program, submitEnv(o.env), {
    root,
    name: array,
    agents: names.map((name) =>
      stringify({
        bus: busOf(o, site, name),
        name,
        site,
        capabilities: o.capabilities,
        ...(o.slots === undefined ? {} : { slots: o.slots }),
        grace: `${Math.max(0, o.drainMs - LAST_WORDS_MS)}ms`,
      }),
    ),
    command: o.command,
    options,
    drainSeconds: Math.ceil(o.drainMs / 1_000),
    idleMs: o.idleMs,
  });
  return { job, site, agents: names };
}

function busOf({ bus, home, host }: PilotsOptions, site: string, name: string): string {
  if (bus !== undefined) return bus;
  const hub = readHubFile(home);
  if (hub === undefined)
    throw new PolaronError('NO_HUB', 'pilots need --bus: no hub runs in this home that could invite them');
  return typeof hub.options['bus'] === 'string' ? hub.bus : invitationOf(hub, { role: 'agent', site, name }, host);
}

async function readOptions(given: Readonly<Record<string, unknown>>): Promise<SlurmOptions> {
  const checked = await checkedOptions('slurm', slurmOptions, given);
  if ('error' in checked) throw new PolaronError('USAGE', `what Slurm is told: ${checked.error.message}`);
  return checked.value;
}

const plain = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** Slurm keeps it with the job: nothing of Polaron's, whose variables hold credentials. */
const submitEnv = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(plain(env)).filter(([name]) => !name.startsWith('POLARON_')));
