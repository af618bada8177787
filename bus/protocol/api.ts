/**
 * What the SDK, the CLI and people with the `nats` CLI may ask of the dispatcher: `polaron.api.USER.VERB`.
 * A request that is an envelope (its first byte, or the header `content-type: application/msgpack`, says so) is answered by an envelope;
 * any other is JSON (or empty) and is answered in JSON, with bytes as base64. Shapes only; wire-api.ts checks them.
 */
import type { ElectronStatus, DispatchStatus } from '../../model/lifecycle.ts';
import type { Digest } from '../../model/ids.ts';
import type { ErrorInfo, TaskLogs, ValueInfo } from '../../model/outcome.ts';
import type { NodeFailure, StatusCounts } from '../../model/records.ts';
import type { ExecutorChoices } from '../../model/executor-choice.ts';
import type { Input } from '../../model/graph.ts';
import type { Replacement } from './redispatch.ts';

export type { NodeFailure, StatusCounts };

/** Every answer: `ok` with the verb's body, or the error. */
export type ApiReply<T> = { readonly ok: true; readonly body: T } | { readonly ok: false; readonly error: ApiError };

export interface ApiError {
  readonly code: string;
  readonly message: string;
  readonly help: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Either the bytes or the digest of a stored value. */
export type BytesOrValue = { readonly bytes: Uint8Array } | { readonly value: ValueInfo };

export interface SubmitRequest {
  /** Idempotency key, made by the SDK per call; per user. */
  readonly key: string;
  readonly lattice: { readonly name: string; readonly source: string };
  /** An encoded WireGraph (msgpack, bus/codec.ts). */
  readonly graph: BytesOrValue;
  /** The arguments of the lattice: an encoded value (an array). */
  readonly args: BytesOrValue;
  /** The code bundle, uploaded before. Absent when no electron needs one. */
  readonly bundle?: ValueInfo;
  readonly argv: readonly string[];
  readonly captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Digest of each electron's own code, by its name (docs/adr/020); the code of one that isn't here is the bundle. */
  readonly codes?: Readonly<Record<string, Digest>>;
  /** It is made from another dispatch, whose values it may take over. */
  readonly origin?: { readonly of: string; readonly reuse: boolean };
  /** Only with an origin. */
  readonly replace?: readonly Replacement[];
  /** Given at dispatch. They are in the graph already; those of lattices inside, which may be drawn later, get theirs from here. */
  readonly executors?: ExecutorChoices;
  readonly metadata: Readonly<Record<string, string>>;
  readonly durability: 'pipelined' | 'strict';
  readonly failFast: boolean;
  /** Larger first. */
  readonly priority: number;
  /** The whole dispatch, ms; 0: none. */
  readonly timeoutMs: number;
}
/** Of a submit, and of a redispatch. */
export interface SubmitReply {
  readonly id: string;
  /** True when the key was known: nothing new was started. */
  readonly existing: boolean;
}

export interface ListRequest {
  readonly limit?: number;
  /** Ids before this one (older). */
  readonly before?: string;
  readonly status?: DispatchStatus;
  /** Those of lattices inside others, too. @default false */
  readonly inner?: boolean;
}
export interface ListReply {
  /** At most `limit`, and fewer when they are large. */
  readonly dispatches: readonly DispatchSummary[];
  readonly more: boolean;
}

/** Times are wall-clock ms; absent when not reached. */
export interface DispatchSummary {
  readonly id: string;
  readonly user: string;
  readonly lattice: string;
  readonly status: DispatchStatus;
  readonly acceptedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly counts: StatusCounts;
  readonly metadata: Readonly<Record<string, string>>;
  /** First root failure. */
  readonly error?: NodeFailure;
  /** Last durable seq. */
  readonly seq: number;
  /** The dispatch of the lattice around it. */
  readonly outer?: string;
  /** The dispatch that it was made from, and the first of all these. */
  readonly origin?: { readonly of: string; readonly root: string };
}

/** `{}`: the hub itself (HubStatus). With `id`: that dispatch. */
export interface StatusRequest {
  readonly id?: string;
}
export interface HubStatus extends AgentsReply {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  readonly bus: string;
  readonly data: string;
  readonly startedAt: number;
  readonly dispatches: { readonly live: number };
}
export interface AgentStatus {
  readonly name: string;
  readonly site: string;
  readonly host: string;
  readonly pid: number;
  readonly slots: number;
  readonly running: number;
  readonly queued: number;
  readonly capabilities: readonly string[];
  readonly version: string;
  readonly state: 'live' | 'suspect' | 'lost' | 'draining';
  /** ms since the last sync. */
  readonly lastSyncMs: number;
  /** From one sync to its answer, as the agent measured it, ms. Absent: it has not told. */
  readonly roundTripMs?: number;
  /** Processes that want to run on its machine, for each core. */
  readonly load?: number;
  /** How far its clock is ahead of the hub's, ms, less what the message took. */
  readonly clockMs?: number;
}

/** One dispatch in full, in pages of electrons ordered by node id. */
export interface SnapshotRequest {
  readonly id: string;
  /** Only electrons whose seq is greater. @default 0: all, those without a seq included */
  readonly since?: number;
  /** First node id of the page. @default 0 */
  readonly from?: number;
  /** @default 1000, at most 10000; a page of large electrons is shorter */
  readonly limit?: number;
  /** Leave out the dispatch's source and graph. */
  readonly brief?: boolean;
  readonly status?: ElectronStatus;
  /** Exact electron name (without an index) or node name. */
  readonly name?: string;
}
export interface SnapshotReply {
  readonly dispatch: DispatchDetail;
  readonly electrons: readonly ElectronView[];
  /** Where the next page begins; absent on the last. */
  readonly next?: number;
  /** Absent when there is an agent for all that is ready. */
  readonly unoffered?: readonly Unoffered[];
}
/** Ready electrons that no agent which is there can run. */
export interface Unoffered {
  /** The capabilities that one agent must offer together: the executor and the electron's `needs`. */
  readonly needs: readonly string[];
  /** Those that no agent offers at all; empty: each is offered, but not by one agent. */
  readonly missing: readonly string[];
  readonly electrons: number;
}
export interface DispatchDetail extends DispatchSummary {
  /** Absent when `brief`. */
  readonly source?: string;
  readonly graph?: ValueInfo;
  readonly args: ValueInfo;
  /** Root failures; of very many the last entry, of no node, says how many more there are. */
  readonly errors: readonly NodeFailure[];
  /** Digest of the bundle. */
  readonly bundle?: Digest;
  readonly bundleSize?: number;
}
export interface ElectronView {
  readonly id: number;
  readonly name: string;
  readonly status: ElectronStatus;
  readonly attempts: number;
  readonly agent?: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly error?: ErrorInfo;
  readonly value?: ValueInfo;
  /** Of one that was reused: where its value is from. */
  readonly from?: { readonly dispatch: string; readonly node: number };
  readonly seq: number;
  /** Of one that is between two attempts: when the next is due, wall clock, ms. */
  readonly retryAt?: number;
  /** For a skipped one: the node that it waited for. */
  readonly cause?: string;
  /** For a lattice that has begun: its dispatch. */
  readonly inner?: string;
  /** For a node of a map's item: the map's id. Nodes of a map are numbered in a row, item by item. */
  readonly map?: number;
}

/** Waits until the dispatch has ended, at most `timeoutMs` (the hub caps it at 25 s: ask again). */
export interface WaitRequest {
  readonly id: string;
  readonly timeoutMs: number;
}
export interface WaitReply {
  readonly dispatch: DispatchDetail;
  /** Only when completed. */
  readonly output?: OutputView;
}

/**
 * The result's template and, per input, its bytes or what to pull from the hub (`polaron.blob.u.USER.get`); when all inputs are too many for a
 * message, one list value; a large template is a value to pull, too.
 */
export interface OutputView {
  readonly template: Uint8Array | ValueInfo;
  readonly inputs: readonly (Uint8Array | ValueInfo)[] | ValueInfo;
}

/** A value of a dispatch: an electron's, or (`args`) the lattice's arguments. Small ones come as bytes. */
export interface ValueRequest {
  readonly id: string;
  /** Node id or node name; absent for the arguments. */
  readonly electron?: number | string;
}
export interface ValueReply {
  readonly value: ValueInfo;
  readonly bytes?: Uint8Array;
}

export interface LogsRequest {
  readonly id: string;
  readonly electron: number | string;
  /** Its number; absent: the last one that wrote something. */
  readonly attempt?: number;
}
export interface LogsReply extends TaskLogs {
  readonly electron: ElectronView;
  /** Which one wrote it; absent: none has written anything. */
  readonly attempt?: number;
  /** It is at work, and this is what it has written so far; false: its agent could not be asked. */
  readonly live?: boolean;
}

/** The attempts of an electron, oldest first: the last 500. */
export interface AttemptsRequest {
  readonly id: string;
  readonly electron: number | string;
}
export interface AttemptsReply {
  readonly electron: ElectronView;
  readonly attempts: readonly AttemptView[];
}
export const attemptStatuses = [
  'assigned',
  'running',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
  'lost',
] as const;
/** One attempt; those that an agent refused, and that so never ran, are left out. */
export interface AttemptView {
  readonly attempt: number;
  readonly status: (typeof attemptStatuses)[number];
  readonly agent?: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Without stack and causes. */
  readonly error?: ErrorInfo;
  /** Characters that it wrote, as far as they are kept. */
  readonly stdout: number;
  readonly stderr: number;
  readonly log: number;
}

export interface CancelRequest {
  readonly id: string;
  readonly electrons?: readonly (number | string)[];
  readonly reason?: string;
}
export interface CancelReplyBody {
  readonly cancelled: readonly string[];
  readonly unconfirmed: readonly string[];
  /** How many more were cancelled than a message can name. */
  readonly more?: number;
}

/** Removes ended dispatches of this user. Asked page by page: `from` is `next` of the answer before. */
export interface PurgeRequest {
  /** Ended at least so long ago, ms. */
  readonly olderThanMs: number;
  /** @default all that a dispatch can end with */
  readonly statuses?: readonly DispatchStatus[];
  /** Only count. @default false */
  readonly dryRun?: boolean;
  readonly from?: string;
}
/** Of this page. The last page, and no other, tells of values. */
export interface PurgeReply {
  readonly dispatches: number;
  readonly electrons: number;
  /** Values removed, their bytes, and those that stay for now since somebody found them within the hour. */
  readonly values?: number;
  readonly bytes?: number;
  readonly held?: number;
  readonly next?: string;
}

/** Copies the data folder into `folder` on the hub's machine, which holds `ticket` and nothing else. Asked again until it is done. */
export interface BackupRequest {
  /** Absolute. */
  readonly folder: string;
  readonly ticket: string;
}
export interface BackupReply {
  readonly done: boolean;
  /** Files of large values. */
  readonly values: number;
  readonly bytes: number;
}

/** By site and name; of very many the first. */
export interface AgentsReply {
  readonly agents: readonly AgentStatus[];
  /** How many there are beyond those named. */
  readonly more?: number;
}

/** The JSON payload of `polaron.event.USER.DISPATCH.TYPE`. */
export interface EventBody {
  readonly dispatch: string;
  readonly seq: number;
  /** Not durable: `seq` is the last durable one. */
  readonly transient: boolean;
  /** Wall clock, ms. */
  readonly at: number;
  readonly type: string;
  readonly electron?: string;
  readonly node?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

export const eventTypes = [
  'dispatch.accepted',
  'dispatch.started',
  'dispatch.completed',
  'dispatch.failed',
  'dispatch.cancelled',
  'electron.assigned',
  'electron.running',
  'electron.retrying',
  'electron.completed',
  'electron.failed',
  'electron.cancelled',
  'electron.skipped',
  'electron.log',
  'electron.progress',
] as const;
export type EventType = (typeof eventTypes)[number];

/** `polaron.blob.u.USER.put` and `polaron.blob.SITE.AGENT.put`: one chunk of an upload. */
export interface BlobPut {
  readonly digest: Digest;
  /** Of the whole value. */
  readonly size: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}
/** `received`: where to go on; `done` when the value is verified and stored. */
export interface BlobPutReply {
  readonly received: number;
  readonly done: boolean;
}
/** `….has`: which of these are stored (and are pinned for an hour). */
export interface BlobHas {
  readonly digests: readonly Digest[];
}
export interface BlobHasReply {
  readonly have: readonly Digest[];
}
/** `….get`: see BlobRead; the answer is the raw bytes, without an envelope. No bytes: not stored, or the end. */

/** For display: a WireGraph without code or templates. */
export interface GraphView {
  readonly nodes: readonly GraphViewNode[];
}
export interface GraphViewNode {
  readonly id: number;
  readonly kind: 'electron' | 'lattice' | 'map';
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly after: readonly number[];
  readonly body?: GraphView;
}
