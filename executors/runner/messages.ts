/**
 * What an agent and one of its runner processes say to each other, over the runner's fd 3; wire-runner.ts has their bytes.
 * A runner carries out `run` messages in order, one at a time, and answers each with exactly one `finished`.
 */
import type { TaskAbout, TaskInput } from '../executor.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { ErrorInfo, Token, ValueInfo } from '../../model/outcome.ts';

/** Agent → runner. The first message is `load`. */
export type ToRunner =
  | {
      readonly type: 'load';
      /** File of the bundle; absent: built-in electrons only. */
      readonly bundleFile?: string;
      readonly argv: readonly string[];
      /** Variables of this process from now on: of what was installed for its electrons. */
      readonly env?: Readonly<Record<string, string>>;
    }
  /** Check that these electrons exist and see the captured variables that the user's process saw. Answered by `indexed`. */
  | {
      readonly type: 'index';
      readonly electrons: readonly string[];
      readonly captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    }
  | RunTask
  /** Abort the running task's signal; a queued one is answered as cancelled. */
  | { readonly type: 'cancel'; readonly task: string; readonly code: StopCode; readonly reason: string };

/** Why an attempt is stopped: somebody asked for it, or its time is over. */
export type StopCode = 'CANCELLED' | 'TIMEOUT';

export interface RunTask {
  readonly type: 'run';
  readonly task: string;
  readonly electron: string;
  /** Hub epoch and attempt number. */
  readonly token: Token;
  /** Names the node in its dispatch: `context().nodeId`. */
  readonly node: string;
  readonly about: TaskAbout;
  readonly template: Uint8Array;
  readonly inputs: readonly TaskInput[];
  readonly split: boolean;
  /** Variables of the electron's own. */
  readonly env: Readonly<Record<string, string>> | undefined;
  /** What puts its lattice's hooks around it: found in the bundle by this name. */
  readonly hooks: string | undefined;
  /**
   * Handed over ahead of a running one: start it only before this moment (ms of the machine's monotonic clock, `process.hrtime`), else answer
   * `returned`. So the agent can give it to another runner when this one is stuck, without an answer. 0: whenever it comes.
   */
  readonly startBy: number;
}

/** Runner → agent. */
export type FromRunner =
  | { readonly type: 'loaded' }
  /** Loading failed for good; `finished` of every task in the runner would fail the same way. */
  | { readonly type: 'load-failed'; readonly error: ErrorInfo }
  | { readonly type: 'indexed'; readonly errors: readonly { readonly electron: string; readonly error: ErrorInfo }[] }
  | {
      readonly type: 'log';
      readonly task: string;
      readonly stream: Stream;
      readonly text: string;
      /** Characters before it that are not told; negative: so many of its first were told before. @default 0 */
      readonly skipped?: number;
    }
  | { readonly type: 'progress'; readonly task: string; readonly fraction: number; readonly note: string }
  /** Not started, and never will be by this runner. */
  | { readonly type: 'returned'; readonly tasks: readonly string[] }
  /** The runner takes no more and ends by itself; nobody is to blame for its exit. */
  | { readonly type: 'retiring' }
  | RunFinished;

export interface RunFinished {
  readonly type: 'finished';
  readonly task: string;
  /** ms since 1970; the end with parts of a millisecond, so that short runs can be told apart. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The scratch folder was made; the agent removes it. */
  readonly scratchUsed: boolean;
  readonly result: /** A small value comes as bytes, a large one as a file that the runner wrote (the agent owns it from now on). */
    | { readonly status: 'completed'; readonly value: ValueInfo; readonly bytes?: Uint8Array; readonly file?: string }
    | { readonly status: 'failed'; readonly error: ErrorInfo }
    | { readonly status: 'cancelled' };
}

/** Nothing that counts follows it, when there is only one task to run. */
export const isLast = (message: FromRunner): boolean =>
  message.type === 'finished' ||
  message.type === 'load-failed' ||
  (message.type === 'indexed' && message.errors.length > 0);
