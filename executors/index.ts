/** What `polaron/executor` offers: executors of one's own. */
export { defineExecutor, noOptions } from './job/definition.ts';
export type {
  CustomExecutor,
  ExecutorAgent,
  ExecutorDefinition,
  Job,
  JobState,
  SubmittedJob,
} from './job/definition.ts';
