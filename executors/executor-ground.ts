/** What an executor stands on, on its agent. Not here: the contract (executor.ts). */
import type { Clock } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import type { Executor } from './executor.ts';
import type { RunnerStart } from './process/runner-process.ts';

export interface ExecutorGround {
  /** Tokens. */
  readonly site: string;
  readonly agent: string;
  /** Which agent, whatever its name, and the number of this life of it. */
  readonly life: { readonly id: string; readonly epoch: number };
  /** Electrons that the agent runs at once, with all executors together. */
  readonly slots: number;
  /** Of those, how many the executors of jobs and of other places leave to the processes now. */
  readonly room: () => number;
  /** From a cancel or timeout to SIGTERM. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** What whoever runs the agent says for this executor, unchecked; absent: nothing. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of this agent alone, kept over restarts. */
  readonly stateDir: string;
  /** Emptied at each start of the agent. */
  readonly scratchDir: string;
  /** Below the state folder; kept over restarts. */
  readonly jobsDir: string;
  /** The agent's one pool of processes. @default one of the executor's own */
  readonly processes?: () => Executor;
  /** What runners are started with. */
  readonly start: Omit<RunnerStart, 'place' | 'memoryMb' | 'outbox' | 'scratchRoot'>;
  /** Keep a process without code ready. */
  readonly spare: boolean;
}

/** Makes an executor for an agent that starts. */
export type ExecutorFactory = (ground: ExecutorGround) => Executor;
