/**
 * `polaron doctor`: what this machine has for electrons, what is missing, and how to get it. One table of checks; an executor adds a line of its own.
 * Not here: what an agent offers at its start, without running anything (own-capabilities.ts).
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { defaults } from '../model/defaults.ts';
import { findProgram } from './find-program.ts';
import { thisMachine, type Machine } from './machine.ts';

/** `missing`: it isn't there and nothing needs it; `broken`: it is there and doesn't work, or nothing works without it. */
export type FindingState = 'ok' | 'missing' | 'broken';

export interface Finding {
  /** What was looked for: `python`. */
  readonly check: string;
  readonly state: FindingState;
  /** What was found: a version, a size, an error's first line. */
  readonly found: string;
  /** How to get it, or to mend it; absent when it is well. */
  readonly help?: string;
}

export interface DoctorOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The home folder. */
  readonly home: string;
  /** @default this machine */
  readonly machine?: Machine;
  /** Node.js, as `process.version`. @default this one's */
  readonly nodeVersion?: string;
  /** Wall clock, ms. @default the system's */
  readonly now?: number;
}

type Look = (o: Required<DoctorOptions>) => Promise<Omit<Finding, 'check'>>;

const PROGRAM_MS = 5_000;
/** No machine's clock should be before this: the code is newer. */
const WRITTEN = Date.UTC(2026, 0, 1);

const ok = (found: string): Omit<Finding, 'check'> => ({ state: 'ok', found });
const missing = (found: string, help: string): Omit<Finding, 'check'> => ({ state: 'missing', found, help });
const broken = (found: string, help: string): Omit<Finding, 'check'> => ({ state: 'broken', found, help });

/** In the order of the answer. */
const checks: Readonly<Record<string, Look>> = {
  node: async ({ nodeVersion }) => {
    const [major = 0, minor = 0] = nodeVersion.slice(1).split('.').map(Number);
    if (major > 20 || (major === 20 && minor >= 19)) return ok(nodeVersion);
    return broken(nodeVersion, 'Install Node.js 20.19 or newer.');
  },
  cpus: async ({ machine }) => ok(String(machine.cpus)),
  memory: async ({ machine }) => ok(`${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`),
  gpus,
  python: (o) => {
    const { POLARON_PYTHON: set = '' } = o.env;
    const help =
      'Install Python 3.9 or newer (Debian: apt install python3), or set POLARON_PYTHON; leptons in Python run there.';
    return version(o, set === '' ? 'python3' : set, ['--version'], help);
  },
  pip: (o) => {
    const { POLARON_PYTHON: set = '' } = o.env;
    const python = set === '' ? 'python3' : set;
    return version(
      o,
      python,
      ['-m', 'pip', '--version'],
      'Install pip and venv (Debian: apt install python3-pip python3-venv); `deps.pip` needs them.',
    );
  },
  npm: (o) => version(o, 'npm', ['--version'], 'Install npm, which comes with Node.js; `deps.npm` needs it.'),
  podman: (o) => containers(o, 'podman', ['podman/podman.sock'], 'systemctl --user enable --now podman.socket'),
  docker: (o) => containers(o, 'docker', [], 'systemctl enable --now docker'),
  slurm,
  ssh: (o) => version(o, 'ssh', ['-V'], 'Install an SSH client (Debian: apt install openssh-client).'),
  home: async ({ home }) => {
    try {
      mkdirSync(home, { recursive: true });
      const probe = join(home, `.doctor-${randomUUID()}`);
      writeFileSync(probe, 'x');
      rmSync(probe);
      return ok(home);
    } catch (error) {
      return broken(
        `${home}: ${textOf(error)}`,
        'Let this user write there, or set POLARON_HOME to a folder that it may write.',
      );
    }
  },
  disk: async ({ home }) => {
    try {
      const { bavail, bsize } = statfsSync(home);
      const found = `${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB free at ${home}`;
      if (bavail * bsize >= defaults.reserveBytes) return ok(found);
      return broken(found, `Free space: below ${defaults.reserveBytes / 2 ** 20} MiB a hub accepts no dispatch.`);
    } catch (error) {
      return broken(textOf(error), 'Let this user read the home folder.');
    }
  },
  clock: async ({ now }) => {
    const found = new Date(now).toISOString();
    return now >= WRITTEN
      ? ok(found)
      : broken(found, 'Set the clock: times of dispatches and certificates would be wrong.');
  },
};

/** What is checked, in the order of the answer. */
export const doctorChecks: readonly string[] = Object.keys(checks);

/** Looks at everything. Never rejects: what fails is a finding. */
export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  const o = { machine: thisMachine(), nodeVersion: process.version, now: Date.now(), ...options };
  return Promise.all(
    Object.entries(checks).map(async ([check, look]) => {
      try {
        return { check, ...(await look(o)) };
      } catch (error) {
        return { check, ...broken(textOf(error), 'Report this: the check itself failed.') };
      }
    }),
  );
}

/** NVIDIA's own word, else its device files. */
async function gpus({ env, machine }: Required<DoctorOptions>): Promise<Omit<Finding, 'check'>> {
  const tool = findProgram('nvidia-smi', env);
  if (tool === undefined) {
    if (machine.gpus > 0) return ok(`${machine.gpus} (nvidia-smi is not there)`);
    return missing(
      'none',
      'GPUs of NVIDIA are found by their driver; offer others by --capability gpu --capability gpus=N.',
    );
  }
  const said = await run(tool, ['-L'], env);
  const names = said.output
    .split('\n')
    .flatMap((line) => /^GPU \d+: (.+?)(?: \(UUID: .*\))?$/.exec(line.trim())?.[1] ?? []);
  if (said.failed || names.length === 0)
    return broken(firstLine(said.output), 'Mend the driver: `nvidia-smi -L` should list the GPUs.');
  return ok(`${names.length}: ${names.join(', ')}`);
}

/** A client, and whether its API answers. */
async function containers(
  { env }: Required<DoctorOptions>,
  client: 'podman' | 'docker',
  below: readonly string[],
  start: string,
): Promise<Omit<Finding, 'check'>> {
  const { DOCKER_HOST: host = '', XDG_RUNTIME_DIR: runtime = '' } = env;
  const sockets = [
    ...(client === 'docker' && host.startsWith('unix://') ? [host.slice('unix://'.length)] : []),
    ...(runtime === '' ? [] : below.map((name) => join(runtime, name))),
    ...(client === 'podman' ? ['/run/podman/podman.sock'] : ['/var/run/docker.sock']),
  ];
  for (const socket of sockets) {
    const answer = await apiVersion(socket);
    if (answer !== undefined) return ok(`${answer} at ${socket}`);
  }
  const program = findProgram(client, env);
  if (program === undefined)
    return missing(
      'not installed',
      `Install it (Debian: apt install ${client === 'docker' ? 'docker.io' : client}); electrons in containers need its API.`,
    );
  const { output } = await run(program, ['--version'], env);
  return broken(`${firstLine(output)}; its API does not answer at ${sockets.join(', ')}`, `Start it: ${start}`);
}

const apiVersion = (socketPath: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const asked = request({ socketPath, path: '/version', timeout: PROGRAM_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part.slice(0, 65_536)));
      response.on('end', () => resolve(/"Version"\s*:\s*"([^"]{1,60})"/.exec(text)?.[1]));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end();
  });

async function slurm({ env }: Required<DoctorOptions>): Promise<Omit<Finding, 'check'>> {
  const help = 'Run the agent where `sbatch` and `squeue` are, on a login node (Debian: apt install slurm-client).';
  const [sbatch, squeue] = [findProgram('sbatch', env), findProgram('squeue', env)];
  if (sbatch === undefined || squeue === undefined)
    return missing(
      sbatch === undefined && squeue === undefined ? 'not installed' : 'one of sbatch and squeue is missing',
      help,
    );
  const [about, queue] = await Promise.all([run(sbatch, ['--version'], env), run(squeue, ['--noheader'], env)]);
  if (queue.failed)
    return broken(`squeue: ${firstLine(queue.output)}`, 'Have slurmctld answer: `squeue` should list jobs.');
  return ok(firstLine(about.output));
}

async function version(
  { env }: Required<DoctorOptions>,
  program: string,
  args: readonly string[],
  help: string,
): Promise<Omit<Finding, 'check'>> {
  const file = findProgram(program, env);
  if (file === undefined) return missing(`${program} is not installed`, help);
  const { output, failed } = await run(file, args, env);
  return failed ? broken(`${file}: ${firstLine(output)}`, help) : ok(`${firstLine(output)} at ${file}`);
}

function run(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ output: string; failed: boolean }> {
  return new Promise((resolve) => {
    execFile(file, [...args], { env, timeout: PROGRAM_MS, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      resolve({ output: output === '' ? (error?.message ?? '') : output, failed: error !== null });
    });
  });
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').slice(0, 200);
const textOf = (error: unknown): string => firstLine(error instanceof Error ? error.message : String(error));
