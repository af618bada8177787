/**
 * What an executor of jobs is, as its author writes it: `defineExecutor` of `polaron/executor`. A job is one attempt of an electron, handed away as a whole.
 * docs/adr/030-executors.md has the reasons. Not here: what the agent does with it (job-executor.ts).
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { PolaronError } from '../../model/errors.ts';
import { isToken } from '../../model/ids.ts';
import type { ErrorInfo } from '../../model/outcome.ts';

/** Where an executor works: the agent that has it. */
export interface ExecutorAgent {
  readonly site: string;
  readonly name: string;
  /** Attempts at once, with those of its other executors. */
  readonly slots: number;
  /** What `agent.yaml` says beside the executor's name; unchecked. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of this executor alone, kept over restarts. */
  readonly folder: string;
  /** For what it starts: the agent's own without its credentials, and a mark by which a restarted agent finds and ends what is left. */
  readonly env: Readonly<Record<string, string>>;
  /** Says something in the agent's log. */
  log(level: 'info' | 'warn' | 'error', message: string): void;
}

/** One attempt of an electron, to be run somewhere. */
export interface Job<O> {
  /**
   * Names this attempt and no other, `polaron-` and 32 hexadecimal digits; the same after a restart of the agent. Give it to what takes the job: a job that
   * was submitted, and whose handle the agent had no time to write down, is found again by it.
   */
  readonly name: string;
  /** What the electron's `executor` says beside its type, as the schema returned it. */
  readonly options: O;
  readonly electron: string;
  readonly dispatchId: string;
  readonly attempt: number;
  /** MiB that the electron asked for by `memoryMb`. */
  readonly memoryMb?: number;
  /**
   * Absolute; holds code and inputs, takes the outcome. Whatever runs the command has to see it under this path, and write to it. What it puts into the files `stdout` and
   * `stderr` there is added to the attempt's output: the electron's own comes another way, so this is what child processes and native code write.
   */
  readonly folder: string;
  /** Program and arguments that run the electron: Node.js of the agent, on this machine. Ends when the electron has ended. SIGTERM aborts its signal, and ends it after the agent's grace time. */
  readonly command: readonly string[];
  /**
   * Code and inputs as one piece of bytes, for a place that doesn't see the folder: `runPacked` runs it there.
   * Rejects with VALUE_TOO_LARGE above 512 MiB, and with DEPS_REFUSED when the electron asks for installed packages.
   */
  pack(): Promise<Uint8Array>;
  /**
   * Takes what `runPacked` gave, whole or as it comes: what the electron writes is heard at once then. Rejects with JOB_FAILED when that is no whole answer,
   * and with the error of `answer` when it ends before the outcome was there.
   */
  accept(answer: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Says that the electron begins about now: its times begin. Otherwise they do with the first word of it. */
  started(): void;
  /** For what runs the command: `ExecutorAgent.env` with a mark of this job. */
  readonly env: Readonly<Record<string, string>>;
  /** Aborts when the attempt is cancelled, or its time is over. */
  readonly signal: AbortSignal;
  /** Adds to the attempt's output, beside what the electron writes. */
  log(stream: 'stdout' | 'stderr', text: string): void;
  /**
   * Runs a program on the agent's machine, in a process group of its own, its output added to the attempt's; when the signal aborts, it gets SIGTERM and after the agent's grace time SIGKILL.
   * Resolves when it has ended, however it did: what the electron left decides. Rejects when there is no such program.
   */
  spawn(
    command: readonly string[],
    options?: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
  ): Promise<void>;
}

/** A job that was handed away, or may have been. */
export interface SubmittedJob<O> {
  readonly name: string;
  readonly options: O;
  readonly folder: string;
  /** What `run` gave back; undefined when the agent ended before it could write that down: then only `name` tells. */
  readonly handle: string | undefined;
  /** Wall clock, ms: before `run` was called. */
  readonly submittedAt: number;
}

/** What `poll` says of a job. */
export type JobState =
  /** It waits where it was submitted. The reason is shown as the electron's progress. */
  | { readonly state: 'queued'; readonly reason?: string }
  | { readonly state: 'running' }
  /**
   * It is over. The outcome that the electron left counts; when there is none, or it was ended from outside: `error`, else a signal or an exit code, else JOB_FAILED;
   * the reason is added to the message.
   */
  | {
      readonly state: 'ended';
      readonly reason?: string;
      readonly exitCode?: number;
      readonly signal?: NodeJS.Signals;
      readonly error?: Pick<ErrorInfo, 'code' | 'message'>;
    }
  /** Nobody knows it. */
  | { readonly state: 'unknown' };

/** An executor, as its author writes it. `O` is an electron's options, `S` what `setup` makes. */
export interface ExecutorDefinition<O, S> {
  /** The capability that electrons ask for: `[a-z0-9_-]{1,48}`. */
  readonly name: string;
  /** Checks what an electron's `executor` says beside its type (Standard Schema: zod, valibot, arktype, …), or `noOptions`. */
  readonly options: StandardSchemaV1<unknown, O>;
  /** How often `poll` is asked, ms. @default 2000 */
  readonly pollMs?: number;
  /** Once, when the agent starts: what all jobs share. When it throws or rejects, the executor isn't offered, and the agent's log says why. */
  setup(agent: ExecutorAgent): S | Promise<S>;
  /**
   * Without `poll`: runs the job and resolves when it is over. With `poll`: submits it, and resolves with a handle, which is on disk before anything else happens.
   * Called once for an attempt; again only when a restarted agent knows from `poll` that nobody has the job. When it rejects the attempt fails, with EXECUTOR_FAILED or
   * the code of the `PolaronError`.
   */
  run(job: Job<O>, shared: S): Promise<string | void>;
  /** What became of all jobs that aren't over, by name, in one call. A name that is missing is unknown. When it rejects it is asked again. */
  poll?(jobs: readonly SubmittedJob<O>[], shared: S): Promise<ReadonlyMap<string, JobState>>;
  /** Ends a job that was handed away; called again while `poll` says that it isn't over. @default nothing but the signal */
  cancel?(job: SubmittedJob<O>, shared: S): Promise<void>;
  /** The agent ends. */
  teardown?(shared: S): void | Promise<void>;
}

/** What an agent is started with (`--executor FILE`); `defineExecutor` makes it. */
export interface CustomExecutor {
  readonly kind: 'polaron.executor';
  readonly name: string;
  /** Gives the definition to `body`, whatever its types are. */
  use<R>(body: <O, S>(definition: ExecutorDefinition<O, S>) => R): R;
}

/** The schema of an executor whose electrons say nothing beside its type. Raises nothing: an option is an issue. */
export const noOptions: StandardSchemaV1<unknown, undefined> = {
  '~standard': {
    version: 1,
    vendor: 'polaron',
    validate: (value) => {
      const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
      return names.length === 0
        ? { value: undefined }
        : { issues: names.map((name) => ({ message: 'this executor has no such option', path: [name] })) };
    },
  },
};

/**
 * Makes an executor: a way to run electrons that agents offer by its name. Export it as default from a file, and start an agent with `--executor FILE`.
 *
 * Raises EXECUTOR_INVALID when a part is missing or of another type.
 */
export function defineExecutor<O, S>(definition: ExecutorDefinition<O, S>): CustomExecutor {
  const wrong = wrongPart(definition);
  if (wrong !== undefined) throw new PolaronError('EXECUTOR_INVALID', `defineExecutor: ${wrong}`);
  return { kind: 'polaron.executor', name: definition.name, use: (body) => body(definition) };
}

/** Is it what `defineExecutor` gives, be it of another copy of this package? */
export const isCustomExecutor = (x: unknown): x is CustomExecutor =>
  typeof x === 'object' && x !== null && 'kind' in x && x.kind === 'polaron.executor' && 'use' in x;

/** For those who write it in JavaScript. */
function wrongPart(
  definition: Readonly<Partial<Record<keyof ExecutorDefinition<unknown, unknown>, unknown>>>,
): string | undefined {
  const { name, options, pollMs } = definition;
  if (typeof name !== 'string' || !isToken(name)) return `name is ${JSON.stringify(name)}; expected [a-z0-9_-]{1,48}`;
  const of = `executor "${name}": `;
  // of some libraries it is a function
  const isSchema = (typeof options === 'object' || typeof options === 'function') && options !== null;
  if (!isSchema || !('~standard' in options)) return `${of}options is no Standard Schema; give one, or noOptions`;
  if (pollMs !== undefined && !(typeof pollMs === 'number' && pollMs >= 10))
    return `${of}pollMs is ${JSON.stringify(pollMs)}; expected ms, at least 10`;
  for (const part of ['setup', 'run'] as const)
    if (typeof definition[part] !== 'function') return `${of}${part} is no function`;
  for (const part of ['poll', 'cancel', 'teardown'] as const)
    if (definition[part] !== undefined && typeof definition[part] !== 'function') return `${of}${part} is no function`;
  return undefined;
}
