/** Runs Slurm's commands, without a shell, and says what their failure means. Not here: which command (queue.ts, submission.ts). */
import { execFile } from 'node:child_process';
import { PolaronError } from '../../model/errors.ts';

/** A command tries by itself for some time to reach a controller that is down. */
const COMMAND_MS = 180_000;
const MOST_OUTPUT = 64 * 1024 * 1024;

/** The controller was never reached: it has not taken anything. */
const NOT_SENT = /\((connect failure|connection refused)\)|connect failure|connection refused|no route to host/i;
/** Its answer didn't come, or said that it isn't ready: it may have taken what was sent. */
const NO_ANSWER =
  /unable to contact slurm controller|timed out|zero bytes were transmitted|communication|standby|temporarily|authentication error|munge|dns|resolve/i;

export type SlurmAnswer =
  | { readonly kind: 'done'; readonly stdout: string }
  /** Slurm has understood, and doesn't do it. */
  | { readonly kind: 'refused'; readonly said: string }
  /** `sent`: it may have got through all the same. */
  | { readonly kind: 'unreachable'; readonly said: string; readonly sent: boolean };

export type SlurmProgram = (
  command: string,
  args: readonly string[],
  more?: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> },
) => Promise<SlurmAnswer>;

/** `env`: of commands that come with none of their own. Raises EXECUTOR_SETUP when there is no such command. */
export const slurmProgram =
  (env: Readonly<Record<string, string>>): SlurmProgram =>
  (command, args, more = {}) =>
    new Promise((resolve, reject) => {
      const options = { env: more.env ?? env, timeout: COMMAND_MS, maxBuffer: MOST_OUTPUT };
      const child = execFile(command, args, options, (error, stdout, stderr) => {
        if (error === null) return resolve({ kind: 'done', stdout });
        if (error.code === 'ENOENT' || error.code === 'EACCES') {
          const message = `the command ${command} of Slurm is not on this machine; start the agent where jobs are submitted (Debian: apt-get install slurm-client)`;
          return reject(new PolaronError('EXECUTOR_SETUP', message, { cause: error }));
        }
        const said = wordsOf(stderr, error.message);
        if (error.killed === true)
          return resolve({ kind: 'unreachable', said: `${command} took too long`, sent: true });
        if (NOT_SENT.test(said)) return resolve({ kind: 'unreachable', said, sent: false });
        resolve(NO_ANSWER.test(said) ? { kind: 'unreachable', said, sent: true } : { kind: 'refused', said });
      });
      // it may not read it
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(more.stdin ?? '');
    });

/** Without the names of its parts, on one line. */
function wordsOf(stderr: string, otherwise: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^\w+: (error: )?/, '').trim());
  const said = lines.filter((line) => line !== '' && !line.startsWith('Try "')).join('; ');
  return (said === '' ? otherwise : said).slice(0, 1_000);
}

/** Raises SLURM_UNREACHABLE or SLURM_REFUSED. */
export function outputOf(command: string, answer: SlurmAnswer): string {
  if (answer.kind === 'done') return answer.stdout;
  throw answer.kind === 'refused'
    ? new PolaronError('SLURM_REFUSED', `${command}: ${answer.said}`)
    : new PolaronError('SLURM_UNREACHABLE', `Slurm's controller can't be reached: ${answer.said}`);
}
