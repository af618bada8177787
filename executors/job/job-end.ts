/** What the end of a job means for its electron. Pure. Not here: how one learns of it (job-run.ts). */
import { asPolaronError, codeOfError } from '../../model/errors.ts';
import type { ErrorInfo, Outcome, TaskLogs, Usage } from '../../model/outcome.ts';
import { timeoutError, type AttemptTimeout } from '../../model/timeouts.ts';
import { causeOfDeath } from '../process/death.ts';
import type { RunFinished } from '../runner/messages.ts';
import type { JobState } from './definition.ts';
import type { Intent } from './job-folder.ts';
import type { JobExit } from './job-spawn.ts';

export type Ended = Extract<JobState, { state: 'ended' }>;
export type JobStop = 'cancel' | AttemptTimeout;

/** What is wrong with a state that `poll` gave, written by anybody; undefined: nothing. */
export function wrongState(state: JobState): string | undefined {
  const shown = JSON.stringify(state ?? null);
  if (!['queued', 'running', 'ended', 'unknown'].includes(state?.state)) return `no state: ${shown.slice(0, 200)}`;
  if (state.state !== 'ended') return undefined;
  const { error, exitCode, signal, reason } = state;
  if (error !== undefined && !(typeof error.code === 'string' && typeof error.message === 'string'))
    return `an error without code and message: ${shown.slice(0, 200)}`;
  if (exitCode !== undefined && !Number.isInteger(exitCode)) return `exitCode ${JSON.stringify(exitCode)}`;
  return [signal, reason].some((text) => text !== undefined && typeof text !== 'string')
    ? shown.slice(0, 200)
    : undefined;
}

export const exitOf = (exit: JobExit | undefined): Pick<Ended, 'exitCode' | 'signal'> => ({
  ...(typeof exit?.code === 'number' ? { exitCode: exit.code } : {}),
  ...(exit?.signal === null || exit === undefined ? {} : { signal: exit.signal }),
});

/** What `run` threw. */
export function refusalOf(error: unknown): ErrorInfo {
  const code = typeof error === 'object' && error !== null ? codeOfError(error) : undefined;
  return { code: code ?? 'EXECUTOR_FAILED', message: asPolaronError(error, 'EXECUTOR_FAILED').message };
}

/** Of a job that left no outcome. `noRoom`: its folder, when that had no room for one. */
export function errorOfEnd({ electron, memoryMb }: Intent, ended: Ended, stderr: string, noRoom?: string): ErrorInfo {
  const { error, exitCode, signal, reason } = ended;
  const of = `electron "${electron}": `;
  if (error !== undefined) return { code: error.code, message: `${of}${error.message}` };
  if (noRoom !== undefined)
    return {
      code: 'DISK_FULL',
      message: `${of}the disk of its job's folder is full (${noRoom}): its outcome could not be written; free space there`,
    };
  if (signal === undefined && (exitCode === undefined || exitCode === 0)) {
    const why = reason ?? 'its runner said nothing';
    return { code: 'JOB_FAILED', message: `${of}its job ended without an outcome: ${why}` };
  }
  const cause = causeOfDeath(electron, {
    code: exitCode ?? null,
    signal: signal ?? null,
    stderr,
    overMemory: false,
    memoryMb,
  });
  return reason === undefined ? cause : { ...cause, message: `${cause.message} (${reason})` };
}

/** The agent's own reason to stop it goes before what the job says. */
export function outcomeOf(
  { electron, timeoutMs, silenceMs }: Intent,
  stop: JobStop | undefined,
  result: RunFinished['result'],
  logs: TaskLogs | undefined,
  usage: Usage,
): { readonly outcome: Outcome; readonly file?: string } {
  const extra: { readonly logs?: TaskLogs; readonly usage: Usage } = logs === undefined ? { usage } : { logs, usage };
  if (stop === 'cancel') return { outcome: { status: 'cancelled', ...extra } };
  if (stop !== undefined) {
    const error = timeoutError(stop, electron, stop === 'attempt' ? timeoutMs : silenceMs);
    return { outcome: { status: 'failed', error, ...extra } };
  }
  if (result.status !== 'completed') return { outcome: { ...result, ...extra } };
  const { value, bytes, file } = result;
  const outcome: Outcome =
    bytes === undefined ? { status: 'completed', value, ...extra } : { status: 'completed', value, bytes, ...extra };
  return file === undefined ? { outcome } : { outcome, file };
}
