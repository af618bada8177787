/** Runs a program for a job on the agent's machine: in a process group of its own, its output told, ended by degrees when the signal aborts. Not here: which program (an executor). */
import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import type { Clock, Timer } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';
import { signalGroup } from '../process/process-table.ts';
import { RUNNER_MARK, type RunnerRoster } from '../process/runner-roster.ts';

/** How long a grandchild may hold the pipes when the program has ended. */
const OUTPUT_MS = 1_000;
const TERM_MS = 500;

export interface JobSpawn {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly roster: RunnerRoster;
  /** Called with what kills it at once. */
  readonly started?: (kill: () => void) => void;
  readonly output: (stream: 'stdout' | 'stderr', text: string) => void;
}

export interface JobExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Resolves when it and what it started are gone. Raises EXECUTOR_FAILED when it can't be started. */
export async function spawnJob(o: JobSpawn): Promise<JobExit> {
  const [file, ...args] = o.command;
  if (file === undefined) throw new PolaronError('EXECUTOR_FAILED', 'spawn: the command is empty');
  const mark = o.roster.nextMark();
  const child = spawn(file, args, {
    cwd: o.cwd,
    env: { ...o.env, [RUNNER_MARK]: mark },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid !== undefined) {
    o.roster.add(pid, mark);
    o.started?.(() => signalGroup(pid, 'SIGKILL'));
  }
  for (const [stream, from] of [
    ['stdout', child.stdout],
    ['stderr', child.stderr],
  ] as const) {
    const decoder = new StringDecoder('utf8');
    from.on('data', (chunk: Buffer) => o.output(stream, decoder.write(chunk)));
    from.on('error', () => undefined);
  }
  let next: Timer | undefined;
  const stop = (): void => {
    if (pid === undefined) return;
    // the runner tells its electron; what is left after the grace time is killed
    signalGroup(pid, 'SIGTERM');
    next = o.clock.after(o.graceMs + TERM_MS, () => signalGroup(pid, 'SIGKILL'));
  };
  if (o.signal.aborted) stop();
  else o.signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<JobExit>((resolve, reject) => {
      child.on('error', (cause) => {
        if (pid === undefined)
          reject(new PolaronError('EXECUTOR_FAILED', `${file} can't be started: ${cause.message}`, { cause }));
      });
      const gone = (exit: JobExit): void => {
        if (pid === undefined) resolve(exit);
        else o.roster.remove(pid, () => resolve(exit));
      };
      let waiting: Timer | undefined;
      child.on('exit', (code, signal) => {
        if (pid !== undefined) signalGroup(pid, 'SIGKILL');
        waiting = o.clock.after(OUTPUT_MS, () => gone({ code, signal }));
      });
      child.on('close', (code, signal) => {
        waiting?.cancel();
        gone({ code, signal });
      });
    });
  } finally {
    next?.cancel();
    o.signal.removeEventListener('abort', stop);
  }
}
