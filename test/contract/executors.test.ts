/** The contract of executors, over those that need nothing but this machine. */
import { pythonExecutor, shellExecutor } from '../../executors/process/language-executor.ts';
import { processExecutor } from '../../executors/process/process-executor.ts';
import { defineExecutor, noOptions } from '../../executors/job/definition.ts';
import { jobExecutor } from '../../executors/job/job-executor.ts';
import { detachedJobs } from '../support/detached-jobs.ts';
import { threadExecutor } from '../../executors/thread/thread-executor.ts';
import { executorContract } from './executor-contract.ts';

const deaths = { exits: 'EXITED', signal: 'CRASHED' };

executorContract({ name: 'process', make: () => processExecutor, deaths, keepsJobs: false, local: true });

executorContract({ name: 'thread', make: () => threadExecutor, deaths, keepsJobs: false, local: true });

// one as it is offered by itself, and one with an option
executorContract({ name: 'python', make: () => pythonExecutor, deaths, keepsJobs: false, local: true });
const options = { shell: '/bin/sh' };
executorContract({ name: 'shell', make: () => shellExecutor, options, deaths, keepsJobs: false, local: true });

const spawned = defineExecutor({
  name: 'spawned',
  options: noOptions,
  setup: () => undefined,
  run: (job) => job.spawn(job.command),
});
executorContract({ name: 'spawned', make: () => jobExecutor(spawned), deaths, keepsJobs: false, local: true });

executorContract({
  name: 'detached',
  make: () => jobExecutor(detachedJobs().executor),
  // where it writes goes nowhere: the job system is one that doesn't keep it
  deaths,
  keepsJobs: true,
  local: true,
});
