/**
 * Pilots: agents that run inside Slurm jobs, for as long as these may run. One array of jobs, each with a folder that has its `agent.yaml`, readable for its user only: what the agent
 * joins the bus with is on no command line, in no job's script and in no environment. Not here: which bus and which names (host/pilots.ts).
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import { jobScript } from './job-script.ts';
import { sbatchArgs, sbatchEnv } from './sbatch-args.ts';
import { outputOf, type SlurmProgram } from './slurm-program.ts';
import type { SlurmOptions } from './slurm-options.ts';

export interface PilotOrder {
  /** Of all pilots of this home. */
  readonly root: string;
  /** Of the array in Slurm, and of the pilots' folder. */
  readonly name: string;
  /** The text of `agent.yaml`, for each. */
  readonly agents: readonly string[];
  /** Runs `polaron` on the nodes. */
  readonly command: readonly string[];
  readonly options: SlurmOptions;
  /** How long before its time limit a pilot takes nothing new, s. */
  readonly drainSeconds: number;
  /** A pilot without work for so long ends, ms. */
  readonly idleMs: number;
}

const AGENT_FILE = 'agent.yaml';
const ID_FILE = 'job';

/** Its state is of no use to another one, and a node's own disk is near. */
const OWN_HOME = 'export POLARON_HOME; POLARON_HOME=$(mktemp -d "${TMPDIR:-/tmp}/polaron-pilot.XXXXXX")';
const LEFT = `cd / ; rm -rf -- "$POLARON_HOME" "$polaron_folder/${AGENT_FILE}"`;

/** The array's id in Slurm. Raises SLURM_REFUSED, SLURM_UNREACHABLE, EXECUTOR_SETUP. */
export async function submitPilots(
  program: SlurmProgram,
  env: Readonly<Record<string, string>>,
  order: PilotOrder,
): Promise<string> {
  const { root, name, agents, command, options, drainSeconds, idleMs } = order;
  const folder = join(root, name);
  for (const [index, text] of agents.entries()) {
    mkdirSync(join(folder, String(index)), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, String(index), AGENT_FILE), text, { mode: 0o600 });
  }
  const script = jobScript({
    options: {
      ...options,
      preRun: [OWN_HOME, ...options.preRun, 'cd -- "$polaron_folder"'],
      postRun: [...options.postRun, LEFT],
    },
    folder,
    command: [...command, 'agent', '--config', AGENT_FILE, '--idle', `${idleMs}ms`],
    links: folder,
  });
  const args = [
    ...sbatchArgs({ name, options, memoryMb: undefined, folder, count: agents.length }),
    `--signal=B:TERM@${drainSeconds}`,
  ];
  try {
    const said = outputOf('sbatch', await program('sbatch', args, { stdin: script, env: sbatchEnv(env) }));
    const id = /^\d+/.exec(said)?.[0];
    if (id === undefined) throw new PolaronError('SLURM_REFUSED', `sbatch gave no job id but ${JSON.stringify(said)}`);
    writeFileSync(join(folder, ID_FILE), id);
    return id;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Removes the folders of pilots that Slurm has no more: those that were killed could not. What can't be told is left. */
export async function cleanPilots(program: SlurmProgram, root: string, user: string): Promise<void> {
  const answer = await program('squeue', ['--noheader', `--user=${user}`, '--Format=ArrayJobID:|']);
  if (answer.kind !== 'done') return;
  const living = new Set(answer.stdout.split('\n').map((line) => line.split('|')[0]?.trim()));
  mkdirSync(root, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(root)) {
    const folder = join(root, name);
    if (!living.has(idIn(folder))) rmSync(folder, { recursive: true, force: true });
  }
}

function idIn(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, ID_FILE), 'utf8');
  } catch {
    return undefined;
  }
}
