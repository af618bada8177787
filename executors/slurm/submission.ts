/**
 * Hands jobs to Slurm: those that come in one turn and differ in nothing but their inputs as one array.
 *
 * Q1. What sbatch got no answer for may be in the queue all the same. It is looked for by its name, twice with time between, before it is handed over again.
 * Q2. An array's record is on disk before sbatch runs (array-records.ts).
 * Not here: what becomes of them (queue.ts).
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PolaronError } from '../../model/errors.ts';
import { explainedDisk } from '../disk-full.ts';
import type { ExecutorAgent, Job } from '../job/definition.ts';
import type { ArrayRecords } from './array-records.ts';
import { jobScript } from './job-script.ts';
import type { Queue } from './queue.ts';
import { sbatchArgs, sbatchEnv } from './sbatch-args.ts';
import type { SlurmOptions } from './slurm-options.ts';
import type { SlurmAnswer, SlurmProgram } from './slurm-program.ts';

/** Others may join an array as long as they come one soon after the other: their folders are written in between. */
const GATHER_MS = 100;
const LONGEST_GATHER_MS = 2_000;
/** Between two tries to reach the controller. */
const AGAIN_MS = 3_000;
/** A job that has reached nobody for so long fails, and may go to another agent. */
const UNREACHABLE_MS = 60_000;

interface Gathering {
  readonly jobs: Waiting[];
  readonly until: number;
  timer: NodeJS.Timeout | undefined;
}

interface Waiting {
  readonly job: Job<SlurmOptions>;
  readonly resolve: (id: string) => void;
  readonly reject: (error: unknown) => void;
}

/** All that an agent hands to Slurm. */
export class Submission {
  readonly #agent: ExecutorAgent;
  readonly #program: SlurmProgram;
  readonly #arrays: ArrayRecords;
  readonly #queue: Queue;
  readonly #mostInArray: number;
  readonly #gathering = new Map<string, Gathering>();
  #stopped = false;

  constructor(o: {
    readonly agent: ExecutorAgent;
    readonly program: SlurmProgram;
    readonly arrays: ArrayRecords;
    readonly queue: Queue;
    readonly mostInArray: number;
  }) {
    this.#agent = o.agent;
    this.#program = o.program;
    this.#arrays = o.arrays;
    this.#queue = o.queue;
    this.#mostInArray = o.mostInArray;
  }

  /** Resolves with the job's id. Raises SLURM_REFUSED, SLURM_UNREACHABLE, DISK_FULL. */
  submit(job: Job<SlurmOptions>): Promise<string> {
    const { dispatchId, electron, options, memoryMb } = job;
    const key = JSON.stringify([dispatchId, electron, options, memoryMb]);
    return new Promise((resolve, reject) => {
      const waiting = { job, resolve, reject };
      const now = performance.now();
      const known = this.#gathering.get(key);
      const joins = known !== undefined && known.jobs.length < this.#mostInArray;
      const group = joins ? known : { jobs: [], until: now + LONGEST_GATHER_MS, timer: undefined };
      group.jobs.push(waiting);
      this.#gathering.set(key, group);
      clearTimeout(group.timer);
      group.timer = setTimeout(
        () => {
          if (this.#gathering.get(key) === group) this.#gathering.delete(key);
          void this.#handOver(group.jobs);
        },
        Math.max(0, Math.min(GATHER_MS, group.until - now)),
      );
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #handOver(all: readonly Waiting[]): Promise<void> {
    const group = all.filter(({ job, reject }) => {
      if (job.signal.aborted) reject(job.signal.reason);
      return !job.signal.aborted;
    });
    const [first] = group;
    if (first === undefined) return;
    try {
      if (group.length === 1) return first.resolve(await this.#single(first.job));
      const id = await this.#array(group.map(({ job }) => job));
      for (const [index, { resolve }] of group.entries()) resolve(`${id}_${index}`);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  #single(job: Job<SlurmOptions>): Promise<string> {
    const { name, options, memoryMb, folder, command } = job;
    const args = sbatchArgs({ name, options, memoryMb, folder });
    return this.#accepted([job], name, args, jobScript({ options, folder, command }));
  }

  #array(jobs: readonly [Job<SlurmOptions>, ...Job<SlurmOptions>[]] | readonly Job<SlurmOptions>[]): Promise<string> {
    const [first] = jobs;
    if (first === undefined) throw new Error('an array of no jobs');
    const name = `polaron-${randomBytes(16).toString('hex')}`;
    this.#keepRecord(name, jobs);
    const links = this.#arrays.folder(name);
    const { options, memoryMb, folder, command } = first;
    const args = sbatchArgs({ name, options, memoryMb, folder: links, count: jobs.length });
    return this.#accepted(jobs, name, args, jobScript({ options, folder, command, links }));
  }

  /** Q2. */
  #keepRecord(name: string, jobs: readonly Job<SlurmOptions>[]): void {
    try {
      this.#arrays.write(name, jobs);
    } catch (error) {
      throw explainedDisk(error, `the record of its array has no room in ${this.#arrays.folder(name)}`);
    }
  }

  /** Q1. */
  async #accepted(
    jobs: readonly Job<SlurmOptions>[],
    name: string,
    args: readonly string[],
    stdin: string,
  ): Promise<string> {
    const began = performance.now();
    let said = '';
    for (;;) {
      const answer = await this.#program('sbatch', args, { stdin, env: sbatchEnv(this.#agent.env) });
      if (answer.kind === 'done') return idOf(answer);
      if (answer.kind === 'refused') throw new PolaronError('SLURM_REFUSED', `sbatch: ${answer.said}`);
      if (said === '') this.#agent.log('warn', `Slurm's controller can't be reached: ${answer.said}`);
      ({ said } = answer);
      const found = answer.sent ? await this.#lookedFor(name) : undefined;
      if (found !== undefined) return found;
      const waited = performance.now() - began;
      const wanted = jobs.some(({ signal }) => !signal.aborted);
      if (!wanted || this.#stopped || waited > UNREACHABLE_MS)
        throw new PolaronError(
          'SLURM_UNREACHABLE',
          `Slurm's controller could not be reached for ${Math.round(waited / 1000)} s, and the job was not submitted: ${said}`,
        );
      await sleep(AGAIN_MS);
    }
  }

  /** Its id; undefined when the controller has been asked twice, and doesn't know it. */
  async #lookedFor(name: string): Promise<string | undefined> {
    for (let unknown = 0; unknown < 2 && !this.#stopped; ) {
      await sleep(AGAIN_MS);
      try {
        const id = await this.#queue.submittedAs(name);
        if (id !== undefined) return id;
        unknown++;
      } catch {
        // it is still away
      }
    }
    return undefined;
  }
}

/** `ID`, or `ID;CLUSTER`. */
function idOf({ stdout }: Extract<SlurmAnswer, { kind: 'done' }>): string {
  const id = /^(\d+)(;|$)/m.exec(stdout)?.[1];
  if (id === undefined) throw new PolaronError('SLURM_REFUSED', `sbatch gave no job id but ${JSON.stringify(stdout)}`);
  return id;
}
