/**
 * The public types of dispatches, results, events and clients.
 * Types only; sdk/client/ makes such objects.
 */
import type { Electron, ExecutorName, ExecutorSpec, Duration, Graph, Lattice } from './definition-types.ts';
import type { NodeError } from './node-error.ts';
import type { Resolved } from './ref-types.ts';
import type { ElectronStatus } from '../model/lifecycle.ts';

declare const RESULT: unique symbol;

export type { ElectronStatus };
/** The id of a dispatch, which knows the type of its value. As text it can be kept anywhere. */
export type DispatchId<T = unknown> = string & { readonly [RESULT]: T };
/** The statuses that never change again. */
export type Terminal = 'completed' | 'failed' | 'cancelled';
/** All that is known of a dispatch, readable while it runs, after a failure, and without the user's script. */
export interface ResultBase {
  /** Of the dispatch. */
  readonly id: string;
  /** The lattice: its name, its function's text, and its graph. */
  readonly lattice: { readonly name: string; readonly source: string; readonly graph: Graph };
  /** Of a sublattice: the dispatch that called it. */
  readonly parent?: string;
  /** The dispatch that it was made from. */
  readonly redispatchOf?: string;
  /** When the hub had stored it. */
  readonly acceptedAt: Date;
  /** When its first electron began. */
  readonly startedAt?: Date;
  /** When it ended. */
  readonly endedAt?: Date;
  /** The lattice's `metadata`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Its electrons: how many have which status; page by page; or one by its name or number. */
  readonly electrons: {
    readonly counts: Readonly<Partial<Record<ElectronStatus, number>>>;
    list(o?: { status?: ElectronStatus; name?: string }): AsyncIterable<ElectronResult>;
    get(nameOrId: string | number): Promise<ElectronResult>;
  };
  /** What it was dispatched with. */
  args(): Promise<readonly unknown[]>;
}
/** What is known of one electron of a dispatch. */
export interface ElectronResult {
  /** Its number in the dispatch. */
  readonly id: number;
  /** The electron's name. */
  readonly name: string;
  /** How far it is. */
  readonly status: ElectronStatus;
  /** How many it took so far. */
  readonly attempts: number;
  /** Where its last attempt ran. */
  readonly agent?: string;
  /** When its last attempt began. */
  readonly startedAt?: Date;
  /** When it ended. */
  readonly endedAt?: Date;
  /** Why its last attempt failed. */
  readonly error?: NodeError;
  /** Of a sublattice: its own dispatch. */
  readonly subDispatch?: string;
  /** Its value. Raises VALUE_MISSING when it has none. */
  value(): Promise<unknown>;
  /** What it printed; while it runs, what it has printed so far. */
  stdout(): Promise<string>;
  /** What its last attempt printed on stderr. */
  stderr(): Promise<string>;
  /** What it gave to `context().log`. */
  logs(): Promise<readonly LogEntry[]>;
}
/** A call of `context().log`, by the agent's clock; `fields` as JSON keeps them. */
export interface LogEntry {
  /** By the agent's clock. */
  readonly at: Date;
  /** What was said. */
  readonly message: string;
  /** What was given with it. */
  readonly fields?: Readonly<Record<string, unknown>>;
}
/** The end of a dispatch whose lattice's result is there. */
export interface Completed<T> extends ResultBase {
  /** Tells it from the others. */
  readonly status: 'completed';
  /** What the lattice returned, with values in the place of Refs. */
  readonly value: T;
}
/** The end of a dispatch whose result can't be had. */
export interface Failed extends ResultBase {
  /** Tells it from the others. */
  readonly status: 'failed';
  /** The first root failure. */
  readonly error: NodeError;
  /** All root failures; electrons that were skipped for them aren't there. */
  readonly errors: readonly NodeError[];
}
/** The end of a dispatch that somebody cancelled. */
export interface Cancelled extends ResultBase {
  /** Tells it from the others. */
  readonly status: 'cancelled';
}
/** A dispatch that goes on. */
export interface Unfinished extends ResultBase {
  /** `accepted`: nothing of it has run yet. */
  readonly status: 'accepted' | 'running';
}
/** A dispatch that has ended. */
export type TerminalResult<T> = Completed<T> | Failed | Cancelled;
/** A dispatch at any time; look at `status`. */
export type Result<T> = TerminalResult<T> | Unfinished;
/** How and where a lattice is dispatched. */
export interface DispatchOptions {
  /** URL of the hub's bus. @default POLARON_URL, else the hub that runs on this machine */
  bus?: string;
  /** The same key again gives the same dispatch, and starts nothing. @default a new one for each call */
  idempotencyKey?: string;
  /** Runs electrons elsewhere without touching their code, in lattices inside, too: `{ trainSvm: 'gpu' }`. */
  executors?: Record<string, ExecutorName | ExecutorSpec>;
  /** `bundle`: the modules of the electrons; `inline`: their functions' text, for functions that use nothing from outside. @default 'bundle', and 'inline' where there is no file */
  code?: 'bundle' | 'inline';
  /** Packages that are not packed, and must be on the agents. */
  external?: string[];
  /** Larger first, among the dispatches of one user. @default 0 */
  priority?: number;
}
/** Whether and how long to wait. */
export interface WaitOptions {
  /** Wait until it has ended. @default false */
  wait?: boolean;
  /** Wait at most so long; then WAIT_TIMEOUT. @default no limit */
  timeout?: Duration;
  /** Ends the waiting, not the dispatch. */
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
/** What is changed, and what is taken over. */
export interface RedispatchOptions<A extends readonly unknown[], T> extends DispatchOptions {
  /** Electron name → the electron that takes its place, wherever it is called. */
  // oxlint-disable-next-line typescript/no-explicit-any
  replaceElectrons?: Record<string, Electron<any, any>>;
  /** Take over values whose code and inputs are the same. @default false */
  reusePreviousResults?: boolean;
  /** The lattice as it is now, for new arguments or another graph. @default the stored one */
  lattice?: Lattice<A, T>;
}
/**
 * A new dispatch made from an old one, whatever state that one is in. With no arguments, the old ones. `replaceElectrons` swaps code by name.
 * `reusePreviousResults` takes over the value of every completed electron whose code, options that matter to its value, and inputs are the same (by content, not by position),
 * inside sublattices too; nothing of the old dispatch is changed.
 */
export type Redispatch = <T, A extends readonly unknown[] = readonly unknown[], R = T>(
  id: DispatchId<T> | string,
  o?: RedispatchOptions<A, R>,
) => (...args: A | []) => Promise<DispatchId<Resolved<R>>>;
/** With `wait: true` it has ended; a plain text for an id gives an `unknown` value. */
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
/** Something that happened to a dispatch. */
export interface DispatchEvent {
  /** Grows with each event; none is told twice. */
  seq: number;
  /** When, by the hub's clock. */
  at: Date;
  /** Dotted word: `electron.completed`, `dispatch.failed`, … */
  type: string;
  /** Which electron, if it is about one. */
  electron?: string;
  /** The electron's number, which `electrons.get` takes. */
  node?: number;
  /** What more there is to tell, by `type`. */
  data?: unknown;
}
/** Which hub, and as whom. */
export interface ConnectOptions {
  /** URL of its bus. @default POLARON_URL, else the hub that runs on this machine */
  bus?: string;
  /** Who to be on the bus. @default the URL's user, else the operating system's */
  user?: string;
  /** `user:password` for the bus. @default those in the URL, else none */
  credentials?: string;
}
/** An explicit client, where one default isn't enough (two hubs, credentials, tests). */
export interface Client {
  /** As the function of that name, on this hub. */
  dispatch: Dispatch;
  /** As the function of that name, on this hub. */
  dispatchSync: DispatchSync;
  /** As the function of that name, on this hub. */
  redispatch: Redispatch;
  /** As the function of that name, on this hub. */
  getResult: GetResult;
  /** As the function of that name, on this hub. */
  getValue: GetValue;
  /** As the function of that name, on this hub. */
  cancel: Cancel;
  /** As the function of that name, on this hub. */
  watch: Watch;
  /** Ends the connection; what waits on it is rejected. */
  close(): Promise<void>;
}
