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

/** A file name for sbatch, which replaces what begins with a percent sign. */
const inPattern = (path: string): string => path.replaceAll('%', '%%');
