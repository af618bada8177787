/** What `polaron/executor` offers: executors of one's own, and the other end of those that send jobs away as bytes. */
export { httpHandler, type HttpHandlerOptions } from './function/http-handler.ts';
export { lambdaHandler, type LambdaHandler } from './function/lambda-handler.ts';
export { runPacked, type RunPackedOptions } from './function/run-packed.ts';
export { defineExecutor, noOptions } from './job/definition.ts';
export type {
  CustomExecutor,
  ExecutorAgent,
  ExecutorDefinition,
  Job,
  JobState,
  SubmittedJob,
} from './job/definition.ts';
