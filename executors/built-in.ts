/** The executors that come with Polaron, by the name that an agent is started with. Not here: executors of one's own (job/load-executor.ts). */
import { CONTAINER, containerExecutor } from './container/container-executor.ts';
import type { ExecutorFactory } from './executor-ground.ts';
import { pythonExecutor, shellExecutor } from './process/language-executor.ts';
import { HTTP, httpExecutor } from './http/http-executor.ts';
import { processExecutor } from './process/process-executor.ts';
import { SSH, sshExecutor } from './ssh/ssh-executor.ts';
import { slurmExecutor } from './slurm/slurm-executor.ts';
import { threadExecutor } from './thread/thread-executor.ts';
import { DEFAULT_EXECUTOR, THREAD_EXECUTOR } from '../model/executor-choice.ts';

/** `process` is what every agent has, if it isn't told otherwise. */
export const builtIn: ReadonlyMap<string, ExecutorFactory> = new Map([
  [DEFAULT_EXECUTOR, processExecutor],
  [THREAD_EXECUTOR, threadExecutor],
  ['python', pythonExecutor],
  ['shell', shellExecutor],
  [SSH, sshExecutor],
  ['slurm', slurmExecutor],
  [CONTAINER, containerExecutor],
  [HTTP, httpExecutor],
]);

/** Those that whoever runs the agent has something to say to. */
export const takeSettings: ReadonlySet<string> = new Set(['slurm', CONTAINER, HTTP]);
