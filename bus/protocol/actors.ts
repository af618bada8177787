/**
 * What the hub's actors tell each other; each union is owned by its receiver. The result manager's is in results.ts.
 * One dotted word names a message everywhere: here, in a trace, and as the electron machine's event.
 */
import type { ElectronDef, WireGraph } from '../../model/graph.ts';
import type { AgentKey, Digest, DispatchId, TaskId } from '../../model/ids.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { ErrorInfo, Outcome, Token, ValueInfo } from '../../model/outcome.ts';
import type { LatticeSettings } from '../../model/records.ts';
import type { ElectronTimeout } from '../../model/timeouts.ts';
import type { AssignedTask, KeyHold, Manifest, Verdict } from './agent.ts';
import type { Why } from './why.ts';
import type { DispatchSpec, ElectronRecord, ExpansionRecord, DispatchRecord, RosterEntry } from './results.ts';

/** An attempt that an agent has, and of which the hub has no record: an earlier life of the hub gave it out. */
export interface ClaimedAttempt {
  readonly node: number;
  readonly token: Token;
  readonly inputsDigest: Digest;
  /** Wall clock of the agent when it began to run; 0: it only queues. */
  readonly startedAt: number;
}

/** Received by the lattice supervisor of a dispatch. */
export type LatticeMessage =
  | { readonly type: 'lattice.start'; readonly spec: DispatchSpec /** Checked. */; readonly graph: WireGraph }
  | {
      readonly type: 'lattice.resume';
      readonly spec: DispatchSpec;
      readonly graph: WireGraph;
      readonly record: DispatchRecord;
      readonly electrons: readonly (readonly [number, ElectronRecord])[];
      readonly expansions: readonly ExpansionRecord[];
    }
  | {
      readonly type: 'lattice.cancel' /** Echoed in `cancel.settled`. */;
      readonly request: number;
      readonly reason: string;
      readonly electrons?: readonly (number | string)[];
    }
  /** Why do its nodes, or this one, wait? Echoed in `lattice.explained`, with the names of `name`. */
  | {
      readonly type: 'lattice.explain';
      readonly request: number;
      readonly node?: number;
      readonly name: readonly number[];
    }
  /** Its time is over. */
  | { readonly type: 'lattice.expired' }
  /** To itself: more was to be done than fits into one turn. */
  | { readonly type: 'lattice.continue' }
  /** The matchmaker found an agent for these nodes. */
  | { readonly type: 'match.found'; readonly agent: AgentKey; readonly nodes: readonly number[] }
  /** To be adopted (`attempt.recovered`) or refused; one whose node isn't ready yet is kept until it is. */
  | { readonly type: 'attempt.claimed'; readonly agent: AgentKey; readonly attempts: readonly ClaimedAttempt[] }
  /** An electron actor is done with its node. */
  | {
      readonly type: 'electron.ended';
      readonly node: number;
      readonly status: ElectronStatus;
      readonly value?: ValueInfo;
      readonly error?: ErrorInfo;
      readonly unconfirmed?: boolean;
    }
  | {
      readonly type: 'map.sliced';
      readonly map: number;
      readonly items?: readonly ValueInfo[];
      readonly error?: ErrorInfo;
    }
  | { readonly type: 'map.composed'; readonly map: number; readonly value?: ValueInfo; readonly error?: ErrorInfo }
  /** The graph of a lattice's node was read and checked. */
  | { readonly type: 'lattice.entered'; readonly node: number; readonly drawn: Drawn | { readonly error: ErrorInfo } }
  /** The dispatch of a lattice's node has ended. */
  | {
      readonly type: 'lattice.left';
      readonly node: number;
      readonly status: ElectronStatus;
      readonly value?: ValueInfo;
      readonly error?: ErrorInfo;
    };

/** What a lattice inside another drew, once its arguments were known. */
export interface Drawn {
  readonly source: string;
  /** With those of the dispatch around it. */
  readonly settings: LatticeSettings;
  readonly graph: WireGraph;
  /** Its bytes, stored. */
  readonly stored: ValueInfo;
  readonly args: ValueInfo;
  readonly literals: readonly ValueInfo[];
}

/** What an attempt's arguments are made of, as it is sent. */
export type Arguments = Pick<AssignedTask, 'template' | 'inputs'>;

/** Received by an electron actor. */
export type ElectronMessage =
  | { readonly type: 'attempt.assigned'; readonly agent: AgentKey }
  | ({ readonly type: 'inputs.read' } & (Arguments | { readonly error: ErrorInfo }))
  /** No agent can be told of it: it would be too large for the bus, or nothing that an agent understands. */
  | { readonly type: 'attempt.unsendable'; readonly token: Token; readonly error: ErrorInfo }
  /** Go on with this attempt, which an agent has and no record names, if it is newer than the own one. */
  | ({ readonly type: 'attempt.adopt'; readonly agent: AgentKey } & Omit<ClaimedAttempt, 'node'>)
  | { readonly type: 'attempt.started'; readonly token: Token; readonly startedAt: number }
  | {
      readonly type: 'attempt.lost';
      readonly token: Token;
      /** `given-back`: by an agent that drains. */
      readonly reason: 'agent-lost' | 'not-listed' | 'given-back' | 'refused' | 'no-responders';
      /** It counts towards POISON. */
      readonly charged: boolean;
    }
  | {
      readonly type: 'attempt.finished';
      readonly task: TaskId;
      readonly agent: AgentKey;
      readonly token: Token;
      readonly inputsDigest: Digest;
      readonly outcome: Outcome;
      readonly receipt: number;
    }
  | { readonly type: 'value.fetched'; readonly token: Token; readonly stored: boolean }
  /** The agent doesn't run it any more; `confirmed` is false when only its lease ended. */
  | { readonly type: 'attempt.stopped'; readonly token: Token; readonly confirmed: boolean }
  | { readonly type: 'backoff.elapsed' }
  /** A time that the electron's options set may be over. */
  | { readonly type: 'deadline.passed'; readonly kind: ElectronTimeout }
  | { readonly type: 'electron.cancel'; readonly reason: string }
  /** Live output and progress, best effort: shown, not kept. */
  | {
      readonly type: 'attempt.logged';
      readonly token: Token;
      readonly stream: Stream;
      readonly text: string;
    }
  | { readonly type: 'attempt.progressed'; readonly token: Token; readonly fraction: number; readonly note: string };

/** What an agent must offer, as a key: the executor and the sorted needs. */
export interface Requirement {
  readonly key: string;
  readonly capabilities: readonly string[];
  /** Of those with a concurrency key, or exclusive ones. */
  readonly limited?: {
    /** Names what is asked for, the key and the limit included. */
    readonly need: string;
    readonly key?: KeyHold;
    readonly exclusive: boolean;
  };
}

/** What electrons are made of that an agent may have already. */
export interface Materials {
  /** The code that all of them need. */
  readonly bundle?: ValueInfo;
  /** The largest of the inputs that don't travel along, of those nodes that have any. Absent: none has. */
  readonly large?: readonly (readonly [node: number, values: readonly ValueInfo[]])[];
}

/** Received by the matchmaker. */
export type MatchmakerMessage =
  /** Nodes of a dispatch are ready; the answer is `match.found` to `replyTo`. */
  | ({
      readonly type: 'match.request';
      readonly dispatch: DispatchId;
      readonly nodes: readonly number[];
      readonly requirement: Requirement;
      readonly priority: number;
      readonly user: string;
      /** The outermost dispatch: what is inside it has no turns of its own. */
      readonly root: DispatchId;
      /** The dispatch is older than this supervisor: after a restart of the hub it waits for the roster's first syncs (H8). */
      readonly resumed: boolean;
    } & Materials)
  /** A supervisor begins again: it is told of the claims that are still open. */
  | { readonly type: 'lattice.resumed'; readonly dispatch: DispatchId }
  | { readonly type: 'match.withdraw'; readonly dispatch: DispatchId; readonly nodes?: readonly number[] }
  /** Send this attempt to its agent. */
  | ({
      readonly type: 'attempt.send';
      readonly agent: AgentKey;
      readonly task: TaskId;
      readonly token: Token;
      readonly inputsDigest: Digest;
      readonly manifest: Manifest;
      readonly electron: ElectronDef;
      readonly name: string;
      readonly path: string | undefined;
      readonly split: boolean;
      readonly holds?: readonly KeyHold[];
    } & Arguments)
  /** After a restart: the agent may hold this one (H8). */
  | {
      readonly type: 'attempt.recovered';
      readonly agent: AgentKey;
      readonly task: TaskId;
      readonly token: Token;
      readonly cancelling?: string;
    }
  /** The agent shall drop this one: it was claimed in vain, or another was adopted for it. */
  | { readonly type: 'attempt.refused'; readonly agent: AgentKey; readonly task: TaskId; readonly token: Token }
  /** The node was matched but won't be sent. */
  | { readonly type: 'attempt.abandoned'; readonly agent: AgentKey; readonly task: TaskId }
  | {
      readonly type: 'attempt.cancel';
      readonly agent: AgentKey;
      readonly task: TaskId;
      readonly token: Token;
      readonly reason: string;
    }
  /** The agent shall give it back if it only queues there: then it is `attempt.lost`, and charged to nobody. */
  | {
      readonly type: 'attempt.revoke';
      readonly agent: AgentKey;
      readonly task: TaskId;
      readonly token: Token;
      readonly reason: string;
    }
  /** What to answer the agent about an outcome; sent after the flush. */
  | {
      readonly type: 'attempt.judged';
      readonly receipt: number;
      readonly task: TaskId;
      readonly token: Token;
      readonly verdict: Verdict;
      readonly current: boolean;
    }
  | { readonly type: 'roster.load'; readonly roster: readonly RosterEntry[]; readonly history: string }
  | { readonly type: 'lattice.gone'; readonly dispatch: DispatchId };

/** Received by the dispatcher. */
export type DispatcherMessage =
  | {
      readonly type: 'lattice.explained';
      readonly request: number;
      readonly waits: readonly {
        readonly why: Why;
        readonly electrons: number;
        readonly first: readonly number[];
      }[];
      readonly names: readonly (readonly [node: number, name: string])[];
    }
  | { readonly type: 'dispatch.ended'; readonly id: DispatchId }
  /** One inside another is accepted: its records are queued. */
  | { readonly type: 'dispatch.inner'; readonly spec: DispatchSpec; readonly graph: WireGraph }
  /** One inside another is wanted no more. */
  | { readonly type: 'dispatch.leave'; readonly id: DispatchId; readonly reason: string }
  | {
      readonly type: 'cancel.settled';
      readonly request: number;
      readonly cancelled?: readonly string[];
      readonly unconfirmed?: readonly string[];
      readonly error?: ErrorInfo;
    };
