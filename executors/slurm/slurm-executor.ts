/**
 * The executor `slurm`: each electron a batch job, handed over on the agent's machine with sbatch, followed with squeue. docs/adr/035-slurm.md has the reasons.
 * Not here: how jobs are handed over (submission.ts) and found (queue.ts), agents that run inside a job (pilots.ts).
 */
import { join } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import type { ExecutorFactory } from '../executor-ground.ts';
import { defineExecutor, type CustomExecutor, type ExecutorAgent } from '../job/definition.ts';
import { jobExecutor } from '../job/job-executor.ts';
import { ArrayRecords } from './array-records.ts';
import { Cancellation } from './cancellation.ts';
import { Queue } from './queue.ts';
import { slurmOptions, type SlurmOptions } from './slurm-options.ts';
import { slurmProgram } from './slurm-program.ts';
import { Submission } from './submission.ts';

/** Slurm's own limit, where it can't be asked: indices below 1001. */
const MOST_IN_ARRAY = 1_000;

/** What all jobs of an agent share. */
interface Slurm {
  readonly arrays: ArrayRecords;
  readonly queue: Queue;
  readonly submission: Submission;
  readonly cancellation: Cancellation;
}

/** `pollMs`: how often squeue is asked. */
export const slurm = (pollMs: number): CustomExecutor =>
  defineExecutor<SlurmOptions, Slurm>({
    name: 'slurm',
    options: slurmOptions,
    pollMs,
    setup,
    run: (job, { submission }) => submission.submit(job),
    poll: (jobs, { queue, arrays }) => {
      arrays.look();
      return queue.states(jobs);
    },
    cancel: async (job, { queue, cancellation }) => {
      const id = await queue.idOf(job);
      if (id !== undefined) await cancellation.cancel(id);
    },
    teardown: ({ submission }) => submission.stop(),
  });

/** Raises EXECUTOR_SETUP. A controller that is down is none of its reasons: jobs wait for it. */
async function setup(agent: ExecutorAgent): Promise<Slurm> {
  checkSettings(agent.settings);
  if (/[\\\n]/.test(agent.folder))
    throw new PolaronError(
      'EXECUTOR_SETUP',
      `Slurm can't write into ${JSON.stringify(agent.folder)}: give the agent a folder without backslash and newline`,
    );
  const program = slurmProgram(agent.env);
  const asked = await program('scontrol', ['show', 'config']);
  if (asked.kind !== 'done') agent.log('warn', `Slurm's controller can't be reached: ${asked.said}`);
  const most = asked.kind === 'done' ? Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(asked.stdout)?.[1]) - 1 : Number.NaN;
  const arrays = new ArrayRecords(join(agent.folder, 'arrays'));
  arrays.clean();
  const queue = new Queue(program, arrays, String(process.getuid?.() ?? 0));
  const mostInArray = most >= 1 ? Math.min(most, MOST_IN_ARRAY) : MOST_IN_ARRAY;
  const submission = new Submission({ agent, program, arrays, queue, mostInArray });
  return { arrays, queue, submission, cancellation: new Cancellation(program) };
}

const POLL_MS = 2_000;
const LEAST_POLL_MS = 100;

/** Its one setting: `pollMs`, how often squeue is asked. */
export const slurmExecutor: ExecutorFactory = (ground) => {
  const { pollMs } = ground.settings ?? {};
  return jobExecutor(slurm(isPollMs(pollMs) ? pollMs : POLL_MS))(ground);
};

const isPollMs = (x: unknown): x is number => typeof x === 'number' && x >= LEAST_POLL_MS;

/** Raises EXECUTOR_SETUP. */
function checkSettings(settings: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(settings))
    if (name !== 'pollMs' || !isPollMs(value)) {
      const said = `setting ${name}: ${JSON.stringify(value)}`;
      throw new PolaronError('EXECUTOR_SETUP', `${said}; there is only pollMs, at least ${LEAST_POLL_MS}`);
    }
}
