/** What this machine has that electrons can use up: CPUs, memory, GPUs. A look at files and at what the system says; runs no program. */
import { readdirSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: number;
}

/** `devices`: the folder of device files. Of what is there, what this process may use: the limits of a container and of a Slurm job count. */
export function thisMachine(devices = '/dev', env: NodeJS.ProcessEnv = process.env): Machine {
  const limit = process.constrainedMemory();
  const total = totalmem();
  const machine = {
    cpus: availableParallelism(),
    memoryBytes: limit > 0 && limit < total ? limit : total,
    gpus: gpusIn(devices),
  };
  return env['SLURM_JOB_ID'] === undefined ? machine : shareOfJob(machine, env);
}

/**
 * Several jobs share a node, and Slurm may be set up to tell them what is theirs without holding them to it: see `man sbatch`, "OUTPUT ENVIRONMENT VARIABLES".
 * A job that is told of no GPU has none, whatever its node has.
 */
function shareOfJob({ cpus, memoryBytes, gpus }: Machine, env: NodeJS.ProcessEnv): Machine {
  const given = (name: string): number | undefined => {
    const number = Number(env[name]);
    return Number.isSafeInteger(number) && number > 0 ? number : undefined;
  };
  const times = (name: string, count: number): number | undefined => {
    const each = given(name);
    return each === undefined || count === 0 ? undefined : each * count;
  };
  const itsCpus = given('SLURM_CPUS_ON_NODE') ?? cpus;
  // before 20.11 it tells their numbers only
  const itsGpus = given('SLURM_GPUS_ON_NODE') ?? env['SLURM_JOB_GPUS']?.split(',').filter(Boolean).length ?? 0;
  const mib = given('SLURM_MEM_PER_NODE') ?? times('SLURM_MEM_PER_CPU', itsCpus) ?? times('SLURM_MEM_PER_GPU', itsGpus);
  return {
    cpus: Math.min(cpus, itsCpus),
    memoryBytes: Math.min(memoryBytes, mib === undefined ? memoryBytes : mib * 2 ** 20),
    gpus: Math.min(gpus, itsGpus),
  };
}

/** NVIDIA's driver makes one file nvidiaN for each GPU. */
function gpusIn(devices: string): number {
  try {
    return readdirSync(devices).filter((name) => /^nvidia\d+$/.test(name)).length;
  } catch {
    return 0;
  }
}

/** As an agent offers them. Memory to a tenth of a GiB, rounded down. */
export function amountsOf({ cpus, memoryBytes, gpus }: Machine): readonly string[] {
  const gib = Math.floor((memoryBytes / 2 ** 30) * 10) / 10;
  const memory = gib >= 0.1 ? [`memory=${gib}GiB`] : [];
  return [`cpus=${cpus}`, ...memory, ...(gpus > 0 ? ['gpu', `gpus=${gpus}`] : [])];
}
