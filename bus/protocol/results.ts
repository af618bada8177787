/**
 * What the result manager receives. Writes are numbered per sender and applied in order; queries are answered from what is written.
 * Shapes only: the manager is in actors/results/.
 */

import type { AgentKey, Digest, DispatchId } from '../../model/ids.ts';
import type { DispatchStatus, ElectronStatus } from '../../model/lifecycle.ts';
import type { TaskLogs, Token, ValueInfo, ValueOrigin } from '../../model/outcome.ts';
import type { Reason } from '../../model/reason.ts';
import type {
  AttemptRecord,
  DispatchRecord,
  DispatchSpec,
  ElectronRecord,
  ExpansionRecord,
  NodeFailure,
} from '../../model/records.ts';
import type {
  AttemptsReply,
  AttemptsRequest,
  BackupReply,
  DispatchDetail,
  ListReply,
  ListRequest,
  LogsReply,
  LogsRequest,
  PurgeReply,
  SnapshotReply,
  SnapshotRequest,
  ValueReply,
  WaitReply,
} from './api.ts';

export type { BackupReply, DispatchRecord, DispatchSpec, ElectronRecord, ExpansionRecord };

export type RecordOp =
  | { readonly op: 'accept'; readonly spec: DispatchSpec; readonly contentDigest: Digest }
  | { readonly op: 'dispatch'; readonly id: DispatchId; readonly record: DispatchRecord }
  /** `was`: the recorded status before, or undefined: for the live counts. */
  | {
      readonly op: 'electron';
      readonly id: DispatchId;
      readonly node: number;
      readonly was: ElectronStatus | undefined;
      readonly record: ElectronRecord;
    }
  | { readonly op: 'expansion'; readonly id: DispatchId; readonly record: ExpansionRecord }
  | { readonly op: 'value'; readonly digest: Digest; readonly bytes: Uint8Array }
  | {
      readonly op: 'logs';
      readonly id: DispatchId;
      readonly node: number;
      readonly attempt: number;
      readonly logs: TaskLogs;
    }
  | {
      readonly op: 'attempt';
      readonly id: DispatchId;
      readonly node: number;
      readonly attempt: number;
      readonly record: AttemptRecord;
    }
  /** This electron has the value of `key`, which was made at `at`; goes with the electron's record. */
  | {
      readonly op: 'cached';
      readonly user: string;
      readonly key: Digest;
      readonly from: ValueOrigin;
      readonly at: number;
    }
  | ({ readonly op: 'agent' } & RosterEntry)
  | { readonly op: 'agent.forget'; readonly agent: AgentKey }
  /** The hub's epoch: the first half of every fencing token. */
  | { readonly op: 'epoch'; readonly epoch: number }
  /** Not stored: shown while the dispatch lives. */
  | { readonly op: 'running'; readonly id: DispatchId; readonly node: number; readonly startedAt: number };

/** A value that is known by what makes it. */
export interface CachedValue {
  readonly value: ValueInfo;
  readonly from: ValueOrigin;
  /** When it was made, wall clock, ms. */
  readonly at: number;
}

/** All that this sender wrote up to batch `n`; 0: nothing. */
export interface WritePosition {
  readonly sender: string;
  readonly n: number;
}

export interface RosterEntry {
  readonly agent: AgentKey;
  readonly epoch: number;
  /** The process that has the name: another one of the same epoch is another agent (H11). */
  readonly instance?: string;
  /** Nothing that it had counts any more: a restarted hub needn't wait for it. Who had the name, and with which epoch, is still to be known for a day. Wall clock, ms; 0: unknown. */
  readonly lostAt?: number;
}

export interface PurgeQuestion {
  readonly user: string;
  /** Wall clock, ms. */
  readonly endedBefore: number;
  readonly statuses?: readonly DispatchStatus[];
  readonly dryRun: boolean;
  /** `next` of the page before. */
  readonly from?: string;
}
/** A page of a purge: see PurgeReply in api.ts. */
export type PurgePage = PurgeReply;

export interface LoadedDispatch {
  readonly spec: DispatchSpec;
  readonly record: DispatchRecord;
  readonly graph: Uint8Array;
  readonly electrons: readonly (readonly [node: number, record: ElectronRecord])[];
  readonly expansions: readonly ExpansionRecord[];
}

/** What a list is made of: values, and of a map that collects what its items failed of. */
export type ListElement = ValueInfo | Reason;

/** Requests to the result manager by type, with the shape of their answers. */
export interface ResultsRequests {
  'results.write': {
    readonly ask: {
      readonly sender: string /** The lowest number that is not answered yet. */;
      readonly from: number;
      readonly n: number;
      readonly ops: readonly RecordOp[];
    };
    readonly answer: { readonly n: number; readonly epoch: string };
  };
  /** Before accepting: is the key known, are these values here, is there room? */
  'results.admit': {
    readonly ask: { readonly user: string; readonly key: string; readonly digests: readonly Digest[] };
    readonly answer: {
      readonly existing?: {
        readonly id: DispatchId;
        readonly contentDigest: Digest;
      } /** Size in bytes, in the same order; undefined: not here. */;
      readonly sizes: readonly (number | undefined)[];
      readonly full: boolean;
    };
  };
  /** Small values' bytes in the same order; undefined: not here, or a file. */
  'results.read': {
    readonly ask: { readonly digests: readonly Digest[] };
    readonly answer: { readonly values: readonly (Uint8Array | undefined)[] };
  };
  /** A whole value of any size (graphs). */
  'results.bytes': { readonly ask: { readonly digest: Digest }; readonly answer: { readonly bytes: Uint8Array } };
  /** Stores bytes of any size under their digest. */
  'results.store': { readonly ask: { readonly bytes: Uint8Array }; readonly answer: { readonly value: ValueInfo } };
  /** Stores one list value made of these; larger elements as pointers. `settled`: each is told with how it ended, and reasons may be among them. */
  'results.compose': {
    readonly ask: { readonly elements: readonly ListElement[]; readonly settled?: boolean };
    readonly answer: { readonly value: ValueInfo };
  };
  /** Stores each element of a list value as a value of its own. */
  'results.slice': {
    readonly ask: { readonly digest: Digest };
    readonly answer: { readonly items: readonly ValueInfo[] };
  };
  /** Pulls a large value from the agent that made it. */
  'results.fetch': {
    readonly ask: { readonly digest: Digest; readonly size: number; readonly agent: AgentKey };
    readonly answer: { readonly stored: boolean };
  };
  'results.live': {
    readonly ask: Readonly<Record<never, never>>;
    readonly answer: {
      readonly ids: readonly DispatchId[];
      readonly epoch: number;
      readonly roster: readonly RosterEntry[];
      readonly history: string;
    };
  };
  /** What is fixed of a dispatch of this user. */
  'results.spec': {
    readonly ask: { readonly id: DispatchId; readonly user: string };
    readonly answer: { readonly spec: DispatchSpec };
  };
  'results.load': { readonly ask: { readonly id: DispatchId }; readonly answer: LoadedDispatch };
  /** Values by what makes them, in the same order; undefined: none is known. */
  'results.cached': {
    readonly ask: { readonly user: string; readonly keys: readonly Digest[] };
    readonly answer: { readonly found: readonly (CachedValue | undefined)[] };
  };
  /** Whether a dispatch inside another has ended, and with what. */
  'results.ended': {
    readonly ask: { readonly id: DispatchId };
    readonly answer: {
      readonly status: DispatchStatus;
      readonly value?: ValueInfo;
      readonly errors: readonly NodeFailure[];
    };
  };
  /** What an outcome for an electron that isn't worked on any more is: answered when all before is flushed. */
  'results.judge': {
    readonly ask: { readonly id: DispatchId; readonly node: number; readonly token: Token };
    readonly answer: { readonly verdict: 'duplicate' | 'stale' | 'later' | 'unknown' };
  };
  /** Removes a page of ended dispatches, then the values. */
  'results.purge': { readonly ask: PurgeQuestion; readonly answer: PurgePage };
  /** Copies the data folder into a folder that holds this ticket. */
  'results.backup': {
    readonly ask: { readonly folder: string; readonly ticket: string };
    readonly answer: BackupReply;
  };
  'results.list': { readonly ask: ListRequest & { readonly user: string }; readonly answer: ListReply };
  'results.detail': {
    readonly ask: { readonly id: DispatchId; readonly user: string };
    readonly answer: DispatchDetail;
  };
  'results.snapshot': {
    readonly ask: SnapshotRequest & { readonly id: DispatchId; readonly user: string };
    readonly answer: SnapshotReply;
  };
  'results.wait': {
    readonly ask: { readonly id: DispatchId; readonly user: string; readonly timeoutMs: number };
    readonly answer: WaitReply;
  };
  'results.value': {
    readonly ask: { readonly id: DispatchId; readonly user: string; readonly electron?: number | string };
    readonly answer: ValueReply;
  };
  'results.logs': {
    readonly ask: LogsRequest & { readonly id: DispatchId; readonly user: string };
    readonly answer: LogsReply;
  };
  'results.attempts': {
    readonly ask: AttemptsRequest & { readonly id: DispatchId; readonly user: string };
    readonly answer: AttemptsReply;
  };
}
export type ResultsRequestType = keyof ResultsRequests;
/** Held complete by the compiler. */
const requestTypes: Readonly<Record<ResultsRequestType, true>> = {
  'results.write': true,
  'results.admit': true,
  'results.read': true,
  'results.bytes': true,
  'results.store': true,
  'results.compose': true,
  'results.slice': true,
  'results.fetch': true,
  'results.live': true,
  'results.spec': true,
  'results.load': true,
  'results.cached': true,
  'results.ended': true,
  'results.judge': true,
  'results.purge': true,
  'results.backup': true,
  'results.list': true,
  'results.detail': true,
  'results.snapshot': true,
  'results.wait': true,
  'results.value': true,
  'results.logs': true,
  'results.attempts': true,
};
export const isResultsRequestType = (text: string): text is ResultsRequestType => Object.hasOwn(requestTypes, text);
export const resultsRequestTypes: readonly ResultsRequestType[] =
  Object.keys(requestTypes).filter(isResultsRequestType);
export type ResultsMessage = {
  [T in ResultsRequestType]: { readonly type: T } & ResultsRequests[T]['ask'];
}[ResultsRequestType];
