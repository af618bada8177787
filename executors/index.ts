/** What `polaron/executor` offers: the types that an executor is written against. `defineExecutor` comes with a later version. */
export type {
  Executor,
  ExecutorCode,
  ExecutorEvents,
  ExecutorHandle,
  ExecutorTask,
  TaskAbout,
  InstalledDeps,
} from './executor.ts';
export type { ElectronDef } from '../model/graph.ts';
export type { ErrorInfo, Outcome, TaskLogs, Token, Usage, ValueInfo } from '../model/outcome.ts';
