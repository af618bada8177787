/** What a job's attempt needs of its executor. Not here: who gives it (job-executor.ts). */
import type { ExecutorGround } from '../executor-ground.ts';
import type { JobSettings } from '../runner/job-files.ts';
import type { ExecutorAgent, ExecutorDefinition } from './definition.ts';
import type { JobExit, JobSpawn } from './job-spawn.ts';

export interface JobHome<O, S> {
  readonly definition: ExecutorDefinition<O, S>;
  /** What `setup` made. */
  readonly shared: S;
  readonly polls: boolean;
  readonly ground: ExecutorGround;
  readonly agent: ExecutorAgent;
  readonly settings: JobSettings;
  /** For what runs a job: with a mark, where that has to end with the agent. */
  env(): Readonly<Record<string, string>>;
  /** What runs the job of this folder. */
  command(folder: string, memoryMb: number | undefined): readonly string[];
  spawn(o: Pick<JobSpawn, 'command' | 'cwd' | 'env' | 'signal' | 'output' | 'started'>): Promise<JobExit>;
  /** Asks about all jobs before long. */
  pollSoon(): void;
  /** The job of this folder is over. */
  over(dir: string): void;
}
