/**
 * What an agent knows of an executor: what runs electrons in a certain way (process, container, Slurm job, …). Two kinds are behind it, pools of runners
 * (process/pool.ts) and jobs (job/job-executor.ts, which `defineExecutor` makes): docs/adr/030-executors.md. Not here: the protocol with the hub (agent/).
 */
import type { KeyHold } from '../bus/protocol/agent.ts';
import type { ElectronDef } from '../model/graph.ts';
import type { Digest, TaskId } from '../model/ids.ts';
import type { Stream } from '../model/log-entry.ts';
import type { Outcome, TaskLogs, Token } from '../model/outcome.ts';

/** An encoded value: its bytes, or the file that holds them while the attempt lasts. */
export type TaskInput = Uint8Array | { readonly file: string };

/** One attempt of one electron, with everything that it needs on this machine. */
export interface ExecutorTask {
  readonly task: TaskId;
  readonly token: Token;
  /** With `holds` what a sync tells of it: an executor that finds it again after a restart tells the same. */
  readonly inputsDigest: Digest;
  readonly holds?: readonly KeyHold[];
  /** As `holds`: needs by which it takes of the agent's amounts. */
  readonly takes?: readonly string[];
  readonly dispatch: string;
  /** What its dispatch is about, for `context()`; one object is shared by the tasks of a dispatch. */
  readonly about: TaskAbout;
  /** Names the node in its dispatch: `context().nodeId`. */
  readonly node: string;
  readonly electron: ElectronDef;
  /** Encoded arguments with references into `inputs` (bus/value/template.ts). */
  readonly template: Uint8Array;
  readonly inputs: readonly TaskInput[];
  /** Encode the result as a list, if it is an array. */
  readonly split: boolean;
  /** From the moment it runs; 0: none. */
  readonly timeoutMs: number;
  readonly code: ExecutorCode;
}

/** Whose task it is: what `context()` says of its dispatch. */
export interface TaskAbout {
  readonly user: string;
  readonly lattice: string;
  /** Absent: nothing. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The code of a dispatch; one object may be shared by its tasks. */
export interface ExecutorCode {
  /** Verified file of the bundle; absent: built-in electrons only. */
  readonly bundleFile?: string;
  /** Names the bundle and its arguments: tasks of equal keys may share a process. */
  readonly key: string;
  readonly argv: readonly string[];
  /** Per electron name: captured variables and their values in the user's process. */
  readonly captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Names `captures`: equal keys, equal captures. */
  readonly captureKey: string;
  /** npm packages that the bundle imports and doesn't carry. */
  readonly packages?: Readonly<Record<string, string>>;
  /** What the electron's `deps` became here; `bundleFile` lies below it then, and `key` names it. */
  readonly deps?: InstalledDeps;
}

/** Installed dependencies: a folder of this machine, whole, and kept while the attempt lasts. */
export interface InstalledDeps {
  /** Names it by content: what was asked for, platform, Node's ABI, Python's version. */
  readonly key: string;
  readonly dir: string;
  /** Python of its venv; absent without `deps.pip`. */
  readonly python?: string;
  /** Set in the runner before any code is loaded: PATH and POLARON_DEPS, with pip also VIRTUAL_ENV. */
  readonly env: Readonly<Record<string, string>>;
}

/** What an executor tells about one attempt. `ended` comes exactly once and last, but not after `forget`. */
export interface ExecutorEvents {
  log(stream: Stream, text: string): void;
  progress(fraction: number, note: string): void;
  /** `file`: the encoded value, when it isn't in `outcome.bytes`; the receiver owns it. */
  ended(outcome: Outcome, file?: string): void;
}

/** One attempt that was started. */
export interface ExecutorHandle {
  /** When it began to run, wall clock ms; 0: it still queues. */
  runningSince(): number;
  /** What it has written so far, as its outcome would have it; absent: nobody can tell before its end. */
  logs?(): TaskLogs | undefined;
  /** Asks it to stop, then makes it: ends as `cancelled`. */
  cancel(reason: string): void;
  /** Takes back what has not begun. True: it never will, and `ended` won't be called. */
  revoke(): boolean;
  /** Stops it without an outcome; `atOnce`: it is killed without grace. */
  forget(atOnce?: boolean): void;
  /** The agent ends: true when it goes on without it, and the next life finds it. Nothing is told of it any more. */
  leave?(): boolean;
}

/** An attempt that an earlier life of the agent began, and that may still be somewhere. */
export type FoundTask = Pick<ExecutorTask, 'task' | 'token' | 'inputsDigest' | 'holds' | 'takes'>;

/** What runs electrons in one way on an agent. */
export interface Executor {
  /** The capability that electrons ask for by `executor`. */
  readonly name: string;
  /** Others do the work: it can't promise that an attempt has stopped before a lease ends, so what is exclusive is refused. */
  readonly handsAway?: boolean;
  /** Its attempts are with `process`, and have places there. */
  readonly shares?: boolean;
  /** Before anything is started. Rejects when it can't work on this machine: it isn't offered then. */
  setUp?(): Promise<void>;
  /** What it finds again; told once, after `setUp`. Each is taken up or given up by the agent. */
  found?(): readonly FoundTask[];
  resume?(found: FoundTask, events: ExecutorEvents): ExecutorHandle;
  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle;
  /** More of the agent's slots may be free for it. */
  roomChanged?(): void;
  /** How long recent attempts took, ms each as a typical value; undefined before the first. */
  typicalMs(): number | undefined;
  /** Kills everything at once; nothing is told any more. */
  stop(): Promise<void>;
}
