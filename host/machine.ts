/** What this machine has that electrons can use up: CPUs, memory, GPUs. A look at files and at what the system says; runs no program. */
import { readdirSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: number;
}

/** `devices`: the folder of device files. Memory is what this process may use: a container's limit counts. */
export function thisMachine(devices = '/dev'): Machine {
  const limit = process.constrainedMemory();
  const total = totalmem();
  return {
    cpus: availableParallelism(),
    memoryBytes: limit > 0 && limit < total ? limit : total,
    gpus: gpusIn(devices),
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
