/**
 * What agents receive (`down`), what they say (`up`), and the answers. docs/protocol.md has the rules by number.
 * Shapes only; bytes become these types in wire-agent.ts.
 */
import type { ElectronDef } from '../../model/graph.ts';
import type { Digest, TaskId } from '../../model/ids.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { Outcome, TaskLogs, Token, ValueInfo } from '../../model/outcome.ts';

/** What a running or queued task is doing on the agent. `done`: finished, outcome spooled, not yet acknowledged. */
export type TaskState = 'queued' | 'running' | 'done';

/** A key that an attempt holds, named with its user, and how many may hold it beside this one. An exclusive electron holds one of its own. */
export interface KeyHold {
  readonly key: string;
  readonly limit: number;
}

export interface RunEntry {
  readonly task: TaskId;
  readonly token: Token;
  readonly inputsDigest: Digest;
  readonly state: TaskState;
  /** Wall clock of the agent when it began to run; 0 before. */
  readonly startedAt: number;
  readonly progress?: number;
  /** As its assign said, until it is done. */
  readonly holds?: readonly KeyHold[];
  /** Needs by which it takes of the agent's amounts, `memory>=32GiB`, until it is done. Absent: none. */
  readonly takes?: readonly string[];
}

/** The agent's absolute state, every heartbeat and whenever something is in doubt. */
export interface Sync {
  readonly epoch: number;
  readonly seq: number;
  /** Highest assign number of this (hub epoch, agent epoch) below which none is missing. */
  readonly seen: number;
  /** The hub epoch that `seen` counts for; 0 before the first assign. */
  readonly hub: number;
  readonly history: string;
  readonly slots: number;
  readonly free: number;
  /** Electrons that the agent takes beyond its free slots. */
  readonly queue: number;
  readonly capabilities: readonly string[];
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly draining: boolean;
  /** Random id of the agent's process: tells two agents of one name apart. */
  readonly instance: string;
  readonly run: readonly RunEntry[];
  /** Wall clock of the agent when it sent this, ms: how far its clock is from the hub's. */
  readonly sentAt?: number;
  /** From the last sync that was answered to its answer, ms. */
  readonly roundTripMs?: number;
  /** Processes that want to run on its machine, for each core (load average of a minute). */
  readonly load?: number;
  /** It has nothing left and goes: nobody needs to wait for its lease. */
  readonly leaving?: boolean;
}

export type SyncReply =
  | {
      readonly type: 'ok';
      readonly hub: number;
      readonly history: string;
      /** Echo of the request's. */
      readonly seq: number;
      readonly leaseMs: number;
      readonly heartbeatMs: number;
      /** Its lease had ended: assigns up to this number are void, and those of them that come late start nothing. Absent: none. */
      readonly void?: number;
      /** Assigns up to this number had been sent to it, and not all had come when it wrote its sync. Absent: all had. */
      readonly sent?: number;
      readonly drop: readonly { readonly task: TaskId; readonly token: Token }[];
      readonly cancel: readonly { readonly task: TaskId; readonly token: Token; readonly reason: string }[];
    }
  /** The hub knows a higher epoch of this agent: take `n` + 1. */
  | { readonly type: 'epoch-low'; readonly n: number }
  | { readonly type: 'name-taken'; readonly host: string; readonly pid: number }
  | { readonly type: 'superseded' }
  /** The agent speaks another protocol than the hub: this one, as the hub's package of this version does. The same in all versions. */
  | { readonly type: 'other-version'; readonly protocol: number; readonly version: string }
  /** The hub can't read what the agent offers: this one, and what is wrong with it. */
  | { readonly type: 'unreadable-offer'; readonly capability: string; readonly problem: string }
  /** Not recovered yet: sync again soon. */
  | { readonly type: 'not-ready' };

/** All that an agent needs to check before it runs a task of a dispatch. */
export interface Manifest {
  readonly dispatch: string;
  readonly user: string;
  readonly lattice: string;
  /** What `context().metadata` is; absent: nothing. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Digest and size of the bundle; absent when only built-in electrons are used. */
  readonly bundle?: ValueInfo;
  /** process.argv.slice(2) of the user's script. */
  readonly argv: readonly string[];
  /** Per electron name: captured primitive variables and their values, as the user's process saw them. */
  readonly captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Wall clock, ms: an agent refuses the manifest after it. 0: never. */
  readonly expiresAt: number;
  readonly strict: boolean;
}

export interface AssignedTask {
  readonly task: TaskId;
  readonly token: Token;
  readonly inputsDigest: Digest;
  /** Index into the message's manifests. */
  readonly manifest: number;
  /** Index into the message's electrons. */
  readonly electron: number;
  /** Human name of the node, e.g. `train[3]`. */
  readonly name: string;
  /** Where it stands in the graph (`Plan.pathOf`), of a map's item. Absent: the number in `task`. */
  readonly path?: string;
  /** Encoded arguments with references into the inputs (bus/value/template.ts); a value to pull when they are large. */
  readonly template: TaskInput;
  /** One entry per input, in order: the bytes, or what to pull from the hub. */
  readonly inputs: readonly TaskInput[] | ValueInfo;
  readonly split: boolean;
  /** One attempt; 0: none. */
  readonly timeoutMs: number;
  /** The keys that it holds; absent: none. */
  readonly holds?: readonly KeyHold[];
}

/** The bytes of an input or a template, or where to pull them from. When the whole list is too large for a message, `inputs` is one list value to pull. */
export type TaskInput = Uint8Array | ValueInfo;

/** Manifests and electrons travel as bytes, each an encoded body of its own (shared-parts.ts). */
export interface Assign {
  readonly epoch: number;
  /** The process that it is meant for, as its syncs say. */
  readonly instance: string;
  readonly hub: number;
  readonly history: string;
  /** Counts assigns per (hub epoch, agent epoch) from 1; a repeat keeps its number. */
  readonly n: number;
  readonly manifests: readonly Manifest[];
  readonly electrons: readonly ElectronDef[];
  readonly tasks: readonly AssignedTask[];
}

export type RefusalReason = 'busy' | 'epoch' | 'stale' | 'draining' | 'capability';

/** Tasks that aren't named are accepted. */
export interface AssignReply {
  readonly refused: readonly { readonly task: TaskId; readonly reason: RefusalReason }[];
}

export interface FinishedTask {
  readonly task: TaskId;
  readonly token: Token;
  readonly inputsDigest: Digest;
  readonly outcome: Outcome;
}

export interface Done {
  readonly epoch: number;
  readonly outcomes: readonly FinishedTask[];
}

/** `committed`, `duplicate`, `stale`, `unknown`: drop it from the spool. `later`: keep and report again. `missing`: upload the value again. */
export type Verdict = 'committed' | 'duplicate' | 'stale' | 'later' | 'missing' | 'unknown';

/** One verdict on all that was reported, or one on each. */
export type DoneReply =
  | { readonly all: Verdict }
  | { readonly verdicts: readonly { readonly task: TaskId; readonly token: Token; readonly verdict: Verdict }[] };

export interface Cancel {
  readonly hub: number;
  readonly tasks: readonly {
    readonly task: TaskId;
    readonly token: Token;
    readonly reason: string /** Give back if it only queues: no cancel. */;
    readonly revoke: boolean;
  }[];
}

export interface CancelReply {
  /** Those that don't run (any more) here. */
  readonly stopped: readonly TaskId[];
  readonly stopping: readonly TaskId[];
}

/** `graceMs`: how long a drain waits for what runs; absent: as long as the agent does by itself. */
export type Control = { readonly type: 'drain'; readonly graceMs?: number } | { readonly type: 'stop' };

/** Hub → agent: bytes of a value that the agent holds. Answer: the raw bytes, empty when it holds none. */
export interface BlobRead {
  readonly digest: Digest;
  readonly offset: number;
  readonly length: number;
}

export interface LogLine {
  readonly task: TaskId;
  readonly token: Token;
  /** Per task and token, from 1. */
  readonly n: number;
  readonly stream: Stream;
  readonly text: string;
}

/** Hub → agent: what has a task written so far? */
export interface LogsAsk {
  readonly task: TaskId;
}

/** Nothing: it isn't at work here. */
export interface LiveLogs {
  readonly token?: Token;
  /** Absent: it has written nothing. */
  readonly logs?: TaskLogs;
}

export interface Progress {
  readonly task: TaskId;
  readonly token: Token;
  readonly fraction: number;
  readonly note: string;
}
