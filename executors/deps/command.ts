/** Runs one command of an installation: in a process group of its own, its last words kept, ended with its group. Not here: which commands (install.ts). */
import { spawn } from 'node:child_process';
import type { Clock } from '../../model/clock.ts';
import { signalGroup } from '../process/process-table.ts';
import { RUNNER_MARK, type RunnerRoster } from '../process/runner-roster.ts';

/** Of what it wrote; the rest is forgotten. */
const TAIL_CHARS = 16 * 1024;
/** How long a grandchild may hold the pipes when the command has ended. */
const OUTPUT_MS = 1_000;

export interface CommandStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Kills what an agent that died had begun. */
  readonly roster: Pick<RunnerRoster, 'nextMark' | 'add' | 'remove'>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface CommandEnd {
  readonly how: 'ok' | 'missing' | 'failed' | 'timeout';
  /** `exit code 1`, `SIGKILL`: how it ended. */
  readonly end: string;
  /** The end of its output, stdout and stderr as they came. */
  readonly tail: string;
}

/** Rejects with the signal's reason only. `missing`: there is no such program. */
export async function runCommand(start: CommandStart): Promise<CommandEnd> {
  const { file, args, cwd, env, roster, clock, timeoutMs, signal } = start;
  signal.throwIfAborted();
  const mark = roster.nextMark();
  const child = spawn(file, [...args], {
    cwd,
    env: { ...env, [RUNNER_MARK]: mark },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid !== undefined) roster.add(pid, mark);
  const kill = (): void => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  };
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-TAIL_CHARS);
    });
  }
  let late = false;
  const timer = clock.after(timeoutMs, () => {
    late = true;
    kill();
  });
  signal.addEventListener('abort', kill);
  try {
    const failure = await new Promise<Error | { readonly code: number | null; readonly name: string | null }>(
      (resolve) => {
        child.on('error', (error) => {
          if (pid === undefined) resolve(error);
        });
        child.on('exit', (code, name) => {
          kill();
          clock.after(OUTPUT_MS, () => resolve({ code, name }));
        });
        child.on('close', (code, name) => resolve({ code, name }));
      },
    );
    if (pid !== undefined) await new Promise<void>((gone) => roster.remove(pid, gone));
    signal.throwIfAborted();
    if (failure instanceof Error) {
      const missing = 'code' in failure && failure.code === 'ENOENT';
      return { how: missing ? 'missing' : 'failed', end: failure.message, tail };
    }
    const { code, name } = failure;
    if (late) return { how: 'timeout', end: 'it took too long', tail };
    return { how: code === 0 ? 'ok' : 'failed', end: name ?? `exit code ${code ?? 'unknown'}`, tail };
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', kill);
  }
}
