/**
 * Keeps what a bundle's top-level code does away from the runner: its process.exit, its output, its late errors. What runs on behalf of the load is told by
 * an async context, also when it comes later (a timer, a floating main()); electrons run outside of that context.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export type OutputSink = (stream: 'stdout' | 'stderr', text: string) => void;

interface LoadContext {
  readonly sink: OutputSink;
  readonly onExit: (code: number | string | null | undefined) => void;
  readonly onError: (error: unknown) => void;
}

const context = new AsyncLocalStorage<LoadContext>();

/** Thrown where top-level code calls process.exit: it must not go on. */
class ExitWhileLoading extends Error {}
export const isExit = (error: unknown): boolean => error instanceof ExitWhileLoading;

/** Does the calling code run on behalf of the load, not of a task? For the runner's own handlers of uncaught errors: ignore those. */
export const inLoadContext = (): boolean => context.getStore() !== undefined;

/** Runs `body` outside of the load's context: for tasks that are started from code that the load led to. */
export const outsideLoadContext = <T>(body: () => T): T => context.exit(body);

let installed = false;

/** Runs `body` with output, exits and errors diverted. The diversions stay installed; outside of the context they pass everything on. */
export function runAsLoad<T>(load: LoadContext, body: () => T): T {
  if (!installed) install();
  installed = true;
  return context.run(load, body);
}

function install(): void {
  const exit = process.exit.bind(process);
  process.exit = (code) => {
    const load = context.getStore();
    if (load === undefined) return exit(code);
    load.onExit(code);
    throw new ExitWhileLoading(`process.exit(${code ?? ''}) while loading`);
  };
  divert(process.stdout, 'stdout');
  divert(process.stderr, 'stderr');
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      if (!isExit(error)) context.getStore()?.onError(error);
    });
  }
}

type Write = NodeJS.WriteStream['write'];

function divert(stream: NodeJS.WriteStream, name: 'stdout' | 'stderr'): void {
  const write: Write = stream.write.bind(stream);
  const diverted = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    const load = context.getStore();
    if (load === undefined) {
      return typeof encoding === 'function' ? write(chunk, encoding) : write(chunk, encoding, callback);
    }
    load.sink(name, typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  stream.write = diverted;
}
