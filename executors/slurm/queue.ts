/** Slurm's queue as this agent sees it: where its jobs are, in one call for all of them. Not here: what Slurm's words mean (queue-line.ts). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { JobState } from '../job/definition.ts';
import type { ArrayRecords } from './array-records.ts';
import { preRunFailure } from './pre-run.ts';
import { jobState, readSacct, readSqueue, sacctFormat, squeueFormat, type QueueLine } from './queue-line.ts';
import { outputOf, type SlurmProgram } from './slurm-program.ts';

/** More names than that are not said: all jobs of the user are looked through. */
const MOST_NAMES = 400;

/** What is asked about: a job of `executors/job`. */
export interface Sought {
  readonly name: string;
  readonly folder: string;
  /** Its id in Slurm, when it is known. */
  readonly handle: string | undefined;
}

export class Queue {
  readonly #program: SlurmProgram;
  readonly #arrays: ArrayRecords;
  readonly #user: string;
  /** Ids of jobs whose handle was lost. */
  readonly #ids = new Map<string, string>();
  /** sacct answers here; until it has said that it doesn't. */
  #accounting = true;

  constructor(program: SlurmProgram, arrays: ArrayRecords, user: string) {
    this.#program = program;
    this.#arrays = arrays;
    this.#user = user;
  }

  /** Raises SLURM_UNREACHABLE, SLURM_REFUSED. */
  async states(jobs: readonly Sought[]): Promise<ReadonlyMap<string, JobState>> {
    const found = await this.#find(jobs);
    const states = new Map<string, JobState>();
    for (const job of jobs) {
      const line = found.get(job.name);
      if (line !== undefined) {
        this.#ids.set(job.name, line.id);
        states.set(job.name, preRunFailure(job.folder, line) ?? jobState(line));
      } else if (existsSync(join(job.folder, 'stdout')))
        // it has been on a node, so nobody may submit it again
        states.set(job.name, {
          state: 'ended',
          reason: `Slurm has forgotten job ${job.handle ?? this.#ids.get(job.name) ?? job.name}`,
        });
    }
    for (const name of this.#ids.keys()) if (!states.has(name)) this.#ids.delete(name);
    return states;
  }

  /** Its id, if Slurm has it. Raises SLURM_UNREACHABLE, SLURM_REFUSED. */
  async idOf(job: Sought): Promise<string | undefined> {
    return job.handle ?? this.#ids.get(job.name) ?? (await this.#find([job])).get(job.name)?.id;
  }

  /** The id of what was submitted under a name: a job's or an array's. Raises as `states`. */
  async submittedAs(name: string): Promise<string | undefined> {
    const lines = await this.#squeue([name]);
    return lines.find((line) => line.name === name)?.id.split('_')[0];
  }

  async #find(jobs: readonly Sought[]): Promise<ReadonlyMap<string, QueueLine>> {
    const names = new Set(jobs.flatMap(({ name }) => [name, ...this.#arrays.of(name).map(({ array }) => array)]));
    const found = this.#matched(jobs, await this.#squeue([...names]));
    const forgotten = jobs.filter(({ name }) => !found.has(name));
    if (forgotten.length === 0 || !this.#accounting) return found;
    for (const [name, line] of this.#matched(forgotten, await this.#sacct([...names]))) found.set(name, line);
    return found;
  }

  /** By the name as well: an id may have been another job's once. */
  #matched(jobs: readonly Sought[], lines: readonly QueueLine[]): Map<string, QueueLine> {
    const byPlace = new Map(lines.map((line) => [placeOf(line.name, line.id), line]));
    const found = new Map<string, QueueLine>();
    for (const { name } of jobs) {
      const places = [placeOf(name, ''), ...this.#arrays.of(name).map(({ array, index }) => `${array} ${index}`)];
      const line = places.map((place) => byPlace.get(place)).findLast((known) => known !== undefined);
      if (line !== undefined) found.set(name, line);
    }
    return found;
  }

  async #squeue(names: readonly string[]): Promise<readonly QueueLine[]> {
    const args = ['--noheader', '--array', '--states=all', `--user=${this.#user}`, `--Format=${squeueFormat}`];
    if (names.length <= MOST_NAMES) args.push(`--name=${names.join(',')}`);
    const said = outputOf('squeue', await this.#program('squeue', args));
    return said.split('\n').flatMap((line) => readSqueue(line) ?? []);
  }

  /** What the controller has forgotten; nothing where there is no accounting. */
  async #sacct(names: readonly string[]): Promise<readonly QueueLine[]> {
    const args = ['--noheader', '--parsable2', '--allocations', `--user=${this.#user}`];
    if (names.length <= MOST_NAMES) args.push(`--name=${names.join(',')}`);
    const answer = await this.#program('sacct', [...args, '--starttime=now-30days', `--format=${sacctFormat}`]);
    if (answer.kind === 'refused') this.#accounting = false;
    return answer.kind === 'done' ? answer.stdout.split('\n').flatMap((line) => readSacct(line) ?? []) : [];
  }
}

/** `NAME INDEX`; the index is empty for what is no array. */
const placeOf = (name: string, id: string): string => `${name} ${id.split('_')[1] ?? ''}`;
