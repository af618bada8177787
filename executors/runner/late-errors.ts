/**
 * Errors that nobody caught: they end the attempt that caused them, and nothing else. In both handlers AsyncLocalStorage still names that
 * attempt, also from timers and callbacks. Not here: what the runner does then (runner.ts).
 */
import { errorInfoOf } from './error-info.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { inLoadContext } from './load-context.ts';
import { attempts, type TaskRun } from './task-run.ts';

/** Installs the handlers. `onError` gets the attempt, or undefined when no async context names one. */
export function catchLateErrors(onError: (run: TaskRun | undefined, error: ErrorInfo) => void): void {
  const handle = (error: unknown, code: 'UNCAUGHT' | 'UNHANDLED_REJECTION'): void => {
    // the loader reports those of top-level code
    if (!inLoadContext()) onError(attempts.getStore(), errorInfoOf(error, code));
  };
  process.on('uncaughtException', (error) => handle(error, 'UNCAUGHT'));
  process.on('unhandledRejection', (error) => handle(error, 'UNHANDLED_REJECTION'));
}
