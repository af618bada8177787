/**
 * The script that Slurm runs for a job, or for each job of an array. Its first command comes before anything that is said by an electron: sbatch looks for its own options
 * (`#SBATCH`) only above that. Pure. Not here: what sbatch is told beside it (sbatch-args.ts).
 */
import { quoted } from './shell-words.ts';
import type { SlurmOptions } from './slurm-options.ts';

/** In the job's folder: which command before the electron failed, and its exit code. */
export const PRE_RUN_FILE = 'pre-run-failed';

export interface ScriptOf {
  readonly options: SlurmOptions;
  /** Of the job; of an array its first one's. */
  readonly folder: string;
  readonly command: readonly string[];
  /** Holds a link to each job's folder, by its index in the array. */
  readonly links?: string;
}

export function jobScript({ options, folder, command, links }: ScriptOf): string {
  const where = links === undefined ? quoted(folder) : `${quoted(links)}/"$SLURM_ARRAY_TASK_ID"`;
  const [node = '', ...args] = command;
  const words = [options.node ?? node, ...args].map((word) => (word === folder ? '"$polaron_folder"' : quoted(word)));
  const run = words.join(' ');
  return [
    '#!/bin/bash',
    `cd -P -- ${where} || exit 1`,
    'polaron_folder=$PWD',
    ...Object.entries(options.variables).map(([name, value]) => `export ${name}=${quoted(value)}`),
    ...options.preRun.flatMap((line, i) => [
      '{',
      line,
      `} || { polaron_code=$?; echo "${i} $polaron_code" >"$polaron_folder/${PRE_RUN_FILE}"; exit "$polaron_code"; }`,
    ]),
    ...(options.postRun.length === 0
      ? [`exec ${run}`]
      : [...waitedFor(run), ...options.postRun, 'exit "$polaron_code"']),
    '',
  ].join('\n');
}

/** Slurm may signal the shell alone: it hands that on, and goes on waiting. */
const waitedFor = (run: string): readonly string[] => [
  `${run} &`,
  'polaron_child=$!',
  `trap 'kill -s TERM "$polaron_child" 2>/dev/null' TERM`,
  'wait "$polaron_child"',
  'polaron_code=$?',
  'while kill -0 "$polaron_child" 2>/dev/null; do wait "$polaron_child"; polaron_code=$?; done',
];
