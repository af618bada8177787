/**
 * The public types of dispatches, results, events and clients.
 * Types only; sdk/client/ makes such objects.
 */
import type { Electron, ExecutorName, ExecutorSpec, Duration, Graph, Lattice } from './definition-types.ts';
import type { Resolved } from './ref-types.ts';
import type { ElectronStatus } from '../model/lifecycle.ts';

declare const RESULT: unique symbol;

export type { ElectronStatus };
export type DispatchId<T = unknown> = string & { readonly [RESULT]: T };
export type Terminal = 'completed' | 'failed' | 'cancelled';
export interface NodeError {
  node: string;
  message: string;
  code: string;
  stack?: string;
  cause?: NodeError;
}
/** All that is known of a dispatch, readable while it runs, after a failure, and without the user's script. */
export interface ResultBase {
  readonly id: string;
  readonly lattice: { readonly name: string; readonly source: string; readonly graph: Graph };
  readonly parent?: string;
  readonly redispatchOf?: string;
  readonly acceptedAt: Date;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly metadata: Readonly<Record<string, string>>;
  readonly electrons: {
    readonly counts: Readonly<Partial<Record<ElectronStatus, number>>>;
    list(o?: { status?: ElectronStatus; name?: string }): AsyncIterable<ElectronResult>;
    get(nameOrId: string | number): Promise<ElectronResult>;
  };
  args(): Promise<readonly unknown[]>;
}
export interface ElectronResult {
  readonly id: number;
  readonly name: string;
  readonly status: ElectronStatus;
  readonly attempts: number;
  readonly agent?: string;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly error?: NodeError;
  readonly subDispatch?: string;
  value(): Promise<unknown>;
  stdout(): Promise<string>;
  stderr(): Promise<string>;
}
export interface Completed<T> extends ResultBase {
  readonly status: 'completed';
  readonly value: T;
}
/** `error` is the first root failure, `errors` all of them. */
export interface Failed extends ResultBase {
  readonly status: 'failed';
  readonly error: NodeError;
  readonly errors: readonly NodeError[];
}
export interface Cancelled extends ResultBase {
  readonly status: 'cancelled';
}
export interface Unfinished extends ResultBase {
  readonly status: 'accepted' | 'running';
}
export type TerminalResult<T> = Completed<T> | Failed | Cancelled;
export type Result<T> = TerminalResult<T> | Unfinished;
export interface DispatchOptions {
  /** default: POLARON_URL, else the hub that runs on this machine */
  bus?: string;
  idempotencyKey?: string;
  /** run electrons elsewhere without touching their code: { trainSvm: 'gpu' } */
  executors?: Record<string, ExecutorName | ExecutorSpec>;
  code?: 'bundle' | 'inline';
  external?: string[];
  /** larger first; default 0 */
  priority?: number;
}
export interface WaitOptions {
  wait?: boolean;
  timeout?: Duration;
  signal?: AbortSignal;
}
/** Traces the lattice here, bundles the modules that define its electrons, uploads what the server lacks; resolves once the server has stored everything. */
export type Dispatch = <A extends readonly unknown[], R>(
  l: Lattice<A, R>,
  options?: DispatchOptions,
) => (...args: A) => Promise<DispatchId<Resolved<R>>>;
/** `dispatch`, then waits for the end. */
export type DispatchSync = <A extends readonly unknown[], R>(
  l: Lattice<A, R>,
  options?: DispatchOptions,
) => (...args: A) => Promise<TerminalResult<Resolved<R>>>;
export interface RedispatchOptions<A extends readonly unknown[], T> extends DispatchOptions {
  // oxlint-disable-next-line typescript/no-explicit-any
  replaceElectrons?: Record<string, Electron<any, any>>;
  reusePreviousResults?: boolean;
  lattice?: Lattice<A, T>;
}
/**
 * A new dispatch made from an old one, whatever state that one is in. With no arguments, the old ones. `replaceElectrons` swaps code by name.
 * `reusePreviousResults` takes over the value of every completed electron whose code, options that matter to its value, and inputs are the same (by content, not by position),
 * inside sublattices too; nothing of the old dispatch is changed.
 */
export type Redispatch = <A extends readonly unknown[], T>(
  id: DispatchId<T> | string,
  o?: RedispatchOptions<A, T>,
) => (...args: A | []) => Promise<DispatchId<T>>;
export interface GetResult {
  <T>(id: DispatchId<T>, o: { wait: true; timeout?: undefined; signal?: AbortSignal }): Promise<TerminalResult<T>>;
  <T>(id: DispatchId<T>, o?: WaitOptions): Promise<Result<T>>;
  <T = unknown>(id: string, o?: WaitOptions): Promise<Result<T>>;
}
/** Waits; throws WorkflowFailed / WorkflowCancelled. */
export type GetValue = <T>(id: DispatchId<T>, o?: { timeout?: Duration; signal?: AbortSignal }) => Promise<T>;
/** Cancels a dispatch, or some electrons of it with what depends on them. Resolves when each agent has confirmed or its lease has ended; `unconfirmed` names those that didn't, and of very many `more` says how many stopped that `cancelled` doesn't name. */
export type Cancel = (
  id: string,
  o?: { electrons?: readonly (number | string)[]; reason?: string },
) => Promise<{ cancelled: readonly string[]; unconfirmed: readonly string[]; more?: number }>;
/** Live events from now on, or from the beginning; ends with the dispatch. Survives a reconnection without a gap. */
export type Watch = (id: string, o?: { from?: 'start' | 'now'; signal?: AbortSignal }) => AsyncIterable<DispatchEvent>;
export interface DispatchEvent {
  seq: number;
  at: Date;
  type: string;
  electron?: string;
  data?: unknown;
}
export interface ConnectOptions {
  bus?: string;
  user?: string;
  credentials?: string;
}
/** An explicit client, where one default isn't enough (two hubs, credentials, tests). */
export interface Client {
  dispatch: Dispatch;
  dispatchSync: DispatchSync;
  redispatch: Redispatch;
  getResult: GetResult;
  getValue: GetValue;
  cancel: Cancel;
  watch: Watch;
  close(): Promise<void>;
}
