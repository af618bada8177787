/** `polaron pilot`: submits agents to Slurm. Not here: what they are there (host/pilots.ts). */
import { checkOffers } from '../../model/capability.ts';
import { PolaronError } from '../../model/errors.ts';
import { homePaths, ensureHome } from '../../host/home.ts';
import { checkedBus } from '../start-options.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';

export interface PilotArguments {
  readonly count: number;
  readonly time: string;
  readonly partition?: string;
  /** NAME or NAME=VALUE. */
  readonly sbatch: readonly string[];
  readonly preRun: readonly string[];
  readonly bus?: string;
  readonly host?: string;
  readonly name: string;
  readonly site: string;
  readonly capability: readonly string[];
  readonly slots?: number;
  /** ms. */
  readonly drain: number;
  readonly idle: number;
}

/** What an electron says under a name of its own, and not under `options`. */
const OWN_NAMES: Readonly<Record<string, string>> = { 'cpus-per-task': 'cpusPerTask' };
const OWN = ['account', 'qos', 'nodes', 'ntasks', 'mem', 'gres', 'constraint', 'cpusPerTask'];

/** Raises USAGE, NO_HUB, CAPABILITY_INVALID, EXECUTOR_SETUP, SLURM_REFUSED, SLURM_UNREACHABLE. */
export async function pilot(context: Context, args: PilotArguments): Promise<ExitCode> {
  checkOffers('--capability', args.capability);
  const paths = homePaths(context.env);
  ensureHome(paths);
  const bus = args.bus ?? (context.env['POLARON_URL'] === '' ? undefined : context.env['POLARON_URL']);
  const { startPilots } = await import('../../host/pilots.ts');
  const { command, args: own } = context.self;
  const { cpusPerTask, ...slurm } = slurmOf(args);
  const slots = args.slots ?? (cpusPerTask === undefined ? undefined : Number(cpusPerTask));
  const submitted = await startPilots({
    home: paths.home,
    env: context.env,
    command: [command, ...own],
    count: args.count,
    name: args.name,
    site: args.site,
    bus: bus === undefined ? undefined : checkedBus(bus),
    host: args.host,
    capabilities: args.capability,
    slots: slots !== undefined && Number.isInteger(slots) ? slots : undefined,
    slurm: { ...slurm, ...(cpusPerTask === undefined ? {} : { cpusPerTask }) },
    drainMs: args.drain,
    idleMs: args.idle,
  });
  if (context.json) writeJson(context, submitted);
  else
    context.terminal.out(
      `Slurm job ${submitted.job}: ${submitted.agents.join(', ')} of site ${submitted.site}; \`scancel ${submitted.job}\` ends them`,
    );
  return exitCodes.ok;
}

function slurmOf({ time, partition, sbatch, preRun }: PilotArguments): Readonly<Record<string, unknown>> {
  const own: Record<string, unknown> = { time, preRun, ...(partition === undefined ? {} : { partition }) };
  const options: Record<string, unknown> = {};
  for (const said of sbatch) {
    const [, option = '', value] = /^(?:--)?([^=]*)(?:=(.*))?$/s.exec(said) ?? [];
    const name = OWN_NAMES[option] ?? option;
    if (OWN.includes(name) && value === undefined)
      throw new PolaronError('USAGE', `--sbatch ${said}: it needs a value`, { help: `Say --sbatch ${said}=VALUE.` });
    (OWN.includes(name) ? own : options)[name] = value ?? true;
  }
  return { ...own, options };
}
