/** An electron's options as arguments of sbatch. No shell sees them. Pure. Not here: which are allowed (slurm-options.ts). */
import type { SlurmOptions } from './slurm-options.ts';

export interface SbatchOf {
  readonly name: string;
  readonly options: SlurmOptions;
  readonly memoryMb: number | undefined;
  /** Where it runs, and holds its output. */
  readonly folder: string;
  /** Jobs of an array; undefined: it is none. */
  readonly count?: number;
}

/** The script comes by standard input. What comes last counts. */
export function sbatchArgs({ name, options, memoryMb, folder, count }: SbatchOf): readonly string[] {
  const { mem = memoryMb === undefined ? undefined : String(Math.ceil(memoryMb)) } = options;
  const own: readonly (readonly [string, string | undefined])[] = [
    ['partition', options.partition],
    ['account', options.account],
    ['qos', options.qos],
    ['time', options.time],
    ['nodes', options.nodes],
    ['ntasks', options.ntasks],
    ['cpus-per-task', options.cpusPerTask],
    // by CPU or by node: the electron has said it in another way
    ['mem', 'mem-per-cpu' in options.options || 'mem-per-gpu' in options.options ? options.mem : mem],
    ['gres', options.gres],
    ['constraint', options.constraint],
    ['job-name', name],
    ['chdir', folder],
  ];
  const output = count === undefined ? inPattern(folder) : `${inPattern(folder)}/%a`;
  return [
    ...Object.entries(options.options).map(([option, value]) =>
      value === true ? `--${option}` : `--${option}=${value}`,
    ),
    ...own.flatMap(([option, value]) => (value === undefined ? [] : [`--${option}=${value}`])),
    `--output=${output}/stdout`,
    `--error=${output}/stderr`,
    ...(count === undefined ? [] : [`--array=0-${count - 1}`]),
    '--open-mode=append',
    // it would run a second time without anybody's knowledge; the hub decides that
    '--no-requeue',
    '--export=ALL',
    '--parsable',
  ];
}

/** What would change how a job is followed; and what sbatch hands on of the job that it is run in itself, though the new one was asked for other memory. */
const NOT_IN_ENV = new Set([
  ...['SBATCH_ARRAY_INX', 'SBATCH_WAIT', 'SBATCH_CLUSTERS', 'SBATCH_IGNORE_PBS'],
  ...['SLURM_MEM_PER_CPU', 'SLURM_MEM_PER_GPU', 'SLURM_MEM_PER_NODE'],
]);

/** Its environment, which becomes that of the job; the rest of an operator's own settings for sbatch stays. */
export const sbatchEnv = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_IN_ENV.has(name)));

/** A file name for sbatch, which replaces what begins with a percent sign. */
const inPattern = (path: string): string => path.replaceAll('%', '%%');
