/** A command before the electron that failed: what the job's script has left of it, as the electron's error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobState } from '../job/definition.ts';
import { PRE_RUN_FILE } from './job-script.ts';
import { jobState, type QueueLine } from './queue-line.ts';

/** Undefined: none has failed, or the job isn't over. */
export function preRunFailure(folder: string, line: QueueLine): JobState | undefined {
  const state = jobState(line);
  if (state.state !== 'ended' || state.error !== undefined || state.exitCode === 0) return undefined;
  let left: string;
  try {
    left = readFileSync(join(folder, PRE_RUN_FILE), 'utf8');
  } catch {
    return undefined;
  }
  const [index, code] = left.trim().split(' ');
  const message = `the command preRun[${index}] failed with exit code ${code}, so the electron was not run (Slurm job ${line.id}); see the output`;
  return { state: 'ended', error: { code: 'SLURM_PRE_RUN', message } };
}
