/**
 * What the commands ask of a hub. Bound to the SDK's client in bindings.ts; tests give a fake.
 * Every method raises NO_HUB when the hub can't be reached, and the hub's own coded errors.
 */
import type { AgentsRequest, DrainReply, DrainRequest } from '../bus/protocol/agents.ts';
import type {
  AgentsReply,
  AttemptsReply,
  AttemptsRequest,
  BackupReply,
  BackupRequest,
  CancelReplyBody,
  CancelRequest,
  DispatchDetail,
  ElectronView,
  GraphViewNode,
  HubStatus,
  ListReply,
  ListRequest,
  LogsReply,
  LogsRequest,
  PurgeReply,
  PurgeRequest,
  SnapshotReply,
  SnapshotRequest,
} from '../bus/protocol/api.ts';
import type { WhyReply, WhyRequest } from '../bus/protocol/why.ts';

/** A dispatch at the end of a wait; `value` only when it completed. */
export interface ResultView {
  readonly dispatch: DispatchDetail;
  readonly value?: { readonly decoded: unknown };
}

/** One event of a dispatch; `at`: wall clock, ms. `data` of electrons may hold agent, attempt, error, cause, text, fraction, note. */
export interface WatchEvent {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly electron?: string;
  readonly node?: number;
  readonly data?: unknown;
}

export const graphFormats = ['mermaid', 'dot', 'svg'] as const;
export type GraphFormat = (typeof graphFormats)[number];

/** A dispatch's graph without code. */
export interface DrawableGraph {
  readonly nodes: readonly GraphViewNode[];
  /** With the statuses of these: all electrons of the dispatch. */
  draw(format: GraphFormat, electrons: AsyncIterable<ElectronView>): Promise<string>;
}

export interface HubApi {
  status(): Promise<HubStatus>;
  /** One page, by site and name. */
  agents(request: AgentsRequest): Promise<AgentsReply>;
  drain(request: DrainRequest): Promise<DrainReply>;
  list(request: ListRequest): Promise<ListReply>;
  snapshot(request: SnapshotRequest): Promise<SnapshotReply>;
  logs(request: LogsRequest): Promise<LogsReply>;
  attempts(request: AttemptsRequest): Promise<AttemptsReply>;
  why(request: WhyRequest): Promise<WhyReply>;
  cancel(request: CancelRequest): Promise<CancelReplyBody>;
  /** Resolves with the id of the new dispatch; `settings`: `name=value`. Raises USAGE. */
  redispatch(request: {
    readonly id: string;
    readonly reuse: boolean;
    readonly settings: readonly string[];
  }): Promise<string>;
  /** One page. */
  purge(request: PurgeRequest): Promise<PurgeReply>;
  /** Begins it, or asks how it goes. */
  backup(request: BackupRequest): Promise<BackupReply>;
  /** The dispatch as it is, or (`wait`) as it ended, with its decoded value. */
  result(id: string, wait: boolean): Promise<ResultView>;
  graph(id: string): Promise<DrawableGraph>;
  /** Events from the first on, without gaps; ends after the dispatch's last, or when `signal` aborts. */
  watch(id: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
  close(): Promise<void>;
}
