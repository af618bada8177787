/**
 * The public types of definitions: options, electrons, lattices, graphs, codecs.
 * Not here: Refs (ref-types.ts), dispatches and results (result-types.ts), anything that runs.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Args, Out, Ref, Resolved, SyncOnly } from './ref-types.ts';

/** Augment to get checked executor names: declare module 'polaron' { interface Register { executors: 'gpu' | 'cpu' } } */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface
export interface Register {}
/** Name of an executor that some agent offers; with `Register` augmented, one of those. */
export type ExecutorName = Register extends { executors: infer E extends string } ? E : string;
/** An executor with options of its own: `{ type: 'process', … }`. */
export interface ExecutorSpec {
  /** Its name. */
  type: string;
  [k: string]: unknown;
}
/** A number is milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** When a failed attempt is followed by another: docs/guides/failures.md. */
export interface RetryOptions {
  /** Further attempts after the first that failed. */
  max: number;
  /** Before the first retry. @default 1 s */
  delay?: Duration;
  /** Factor from one delay to the next. @default 2 */
  backoff?: number;
  /** Longest delay. @default 1 min */
  maxDelay?: Duration;
  /** 0 … 1: share of the delay that is random. @default 0.2 */
  jitter?: number;
  /** Error codes, or class names of your errors: retry these and no others. @default all that may succeed the next time */
  retryOn?: string[];
  /** Never retry these. @default none */
  notOn?: string[];
}
/** How long what may take; each is none by default. */
export interface TimeoutOptions {
  /** Ready without running, each time. */
  queue?: Duration;
  /** One attempt, from the moment when it runs. */
  attempt?: Duration;
  /** All of it: queueing, attempts and pauses. */
  total?: Duration;
  /** No output, log or progress for so long. */
  silence?: Duration;
}
/** When a value of an earlier run is not the same any more. */
export interface CacheOptions {
  /** Counts besides code and inputs: for what the electron reads and is not given, such as the version of a data set. @default none */
  key?: string;
  /** An older value is not taken. @default as old as its dispatch is stored */
  ttl?: Duration;
}
/** What an electron needs and what happens when it fails. All are optional; defaults are in docs/configuration.md. */
export interface ElectronOptions {
  /** Names the function on the agents, and in results. @default the function's name */
  name?: string;
  /** All of these must be offered by the agent, e.g. ['gpu', 'site=cern', 'memory>=32GiB']. */
  needs?: readonly string[];
  /** At most `limit` of your electrons with the same key run at once, over all dispatches of the hub; with `exclusive`, even across a lost agent. */
  concurrency?: { key: string; limit: number };
  /** Hooks in the electron's own process, in order; what one returns under `as` is passed to the electron. */
  before?: readonly Hook[];
  /** Hooks after the electron's function has returned, in order, in the same process. */
  after?: readonly Hook[];
  /** never two attempts at once, even in a partition, on machines whose clocks run within 5 % and don't suspend: the agent kills the electron before its lease ends. Refused for jobs handed to Slurm, ssh or http. */
  exclusive?: boolean;
  /** What runs it on the agent. @default 'process': a process of its own */
  executor?: ExecutorName | ExecutorSpec;
  /** Further attempts after one that failed; a number is `max`. @default 0 */
  retries?: number | RetryOptions;
  /** A bare duration bounds one attempt. @default none */
  timeout?: Duration | TimeoutOptions;
  /** Memory of the electron's process, MiB; over it, it is killed with MEMORY_LIMIT. Of a thread it bounds the heap only. @default no limit */
  memoryMb?: number;
  /** `thread`: in a thread of a process that it shares, for short electrons that are trusted; the same as `executor: 'thread'`. @default 'process': a process of its own */
  isolation?: 'process' | 'thread';
  /** What is installed on the agent before it runs. */
  deps?: Deps;
  /** Environment variables that its process has besides the agent's. */
  env?: Record<string, string>;
  /** Defining module, when the stack trace cannot find it: `import.meta.url`. */
  module?: string | URL;
  /** Takes the value of an earlier run with the same code and inputs, from any dispatch of this user that is still stored. @default false */
  cache?: boolean | CacheOptions;
}
/** Installed on the agent before the electron runs, cached by content: npm packages, Python packages (into a venv), shell commands. */
export interface Deps {
  /** Package name → version: `{ sharp: '0.35.5' }`. */
  npm?: Record<string, string>;
  /** Requirements as pip takes them: `['numpy==2.1.0']`. */
  pip?: readonly string[];
  /** Commands, run once for all electrons with the same dependencies. */
  shell?: readonly string[];
}
/** A function that runs before or after an electron, in its process. */
export interface Hook {
  /** The function; its module is sent as the electron's is. */
  // oxlint-disable-next-line typescript/no-explicit-any
  run: (...args: any[]) => unknown;
  /** What it is called with. @default nothing */
  args?: readonly unknown[];
  /** Of a `before` hook: the name under which the electron gets its result. */
  as?: string;
}
/** A schema for each parameter, of any library that speaks Standard Schema (https://standardschema.dev): zod, valibot, arktype. */
export type Schemas = readonly StandardSchemaV1[];
type OptTail<A extends unknown[]> = A extends [...infer H, infer L]
  ? undefined extends L
    ? [...OptTail<H>, L?]
    : A
  : A;
export type SchemaArgsIn<S extends Schemas> = OptTail<{
  -readonly [K in keyof S]: StandardSchemaV1.InferInput<S[K]>;
}>;
export type SchemaArgsOut<S extends Schemas> = { -readonly [K in keyof S]: StandardSchemaV1.InferOutput<S[K]> };

/** A function that can be a node of a lattice: its parameters A, its result R (a promise or not). */
export interface Electron<A extends readonly unknown[], R> {
  /** Inside a lattice: adds a node, returns a placeholder. Anywhere else it throws; use `.local()`. */
  (...args: Args<A>): Ref<Out<R>>;
  /** Tells an electron from a lattice. */
  readonly kind: 'electron';
  /** Its name on the agents and in results. */
  readonly electronName: string;
  /** The options that it was made with. */
  readonly options: Readonly<ElectronOptions>;
  /** The plain function: runs here and now. Raises what the function throws, and INPUT_INVALID. */
  local(...args: A): R;
  /** The same code with other options (executor, retries, …); those given replace the old ones. */
  with(options: ElectronOptions): Electron<A, R>;
}
/** What `electron` is: a function, `generic`, and `defaults` for a factory with other defaults. */
export interface ElectronFactory {
  <A extends unknown[], R>(fn: (...args: A) => R): Electron<A, R>;
  <const S extends Schemas, R>(
    options: ElectronOptions & { input: S },
    fn: (...args: SchemaArgsOut<S>) => R,
  ): Electron<SchemaArgsIn<S>, R>;
  <A extends unknown[], R>(options: ElectronOptions & { input?: undefined }, fn: (...args: A) => R): Electron<A, R>;
  /** Keeps the type parameters of a generic function; the result has no members (`local`, `with`). */
  generic<A extends unknown[], R>(fn: (...args: A) => R, options?: ElectronOptions): (...args: Args<A>) => Ref<Out<R>>;
  /** A factory whose electrons have these options, where they don't set them themselves. */
  defaults(options: Omit<ElectronOptions, 'name'>): ElectronFactory;
}

/** What holds for a whole dispatch of the lattice. */
export interface LatticeOptions {
  /** Its name in lists and results. @default the function's name */
  name?: string;
  /** Options of its electrons, where they don't set them themselves. */
  electrons?: Omit<ElectronOptions, 'name' | 'module'>;
  /** `strict`: what an electron produced is on disk before the next one begins. @default 'pipelined'; see docs/architecture.md, "What is durable when" */
  durability?: 'pipelined' | 'strict';
  /** The first failure cancels what is left, instead of letting independent branches end. @default false */
  failFast?: boolean;
  /** The whole dispatch, queueing included. @default none */
  timeout?: Duration;
  /** Texts of yours, kept with the dispatch and shown with its result. */
  metadata?: Record<string, string>;
}
/** A function that composes electrons: it is traced, and the graph runs. Its parameters A are plain values, its result R may hold Refs. */
export interface Lattice<A extends readonly unknown[], R> {
  /** Inside a lattice: a sub-workflow node. With Refs among the arguments it is traced on an agent when they are known. */
  (...args: Args<A>): Ref<Resolved<R>>;
  /** Tells a lattice from an electron. */
  readonly kind: 'lattice';
  /** Its name in lists and results. */
  readonly latticeName: string;
  /** Traces it, and runs nothing. Raises what tracing raises (OUTSIDE_LATTICE, REF_AWAITED, …: docs/errors.md). */
  graph(...args: A): Graph;
  /** Runs it in this process, without a hub: no retries, timeouts or executors. Raises what tracing and the electrons raise. */
  local(...args: A): Promise<Resolved<R>>;
  /** The graph as Mermaid, Graphviz DOT or SVG. Raises what `graph` raises. */
  draw(format: DrawFormat, ...args: A): string;
}
/** What `lattice.draw` writes. */
export type DrawFormat = 'mermaid' | 'dot' | 'svg';
/** What `lattice` is: `lattice(fn)` or `lattice(options, fn)`. */
export interface LatticeFactory {
  <A extends unknown[], R>(fn: (...args: A) => R & SyncOnly<R>): Lattice<A, R>;
  <A extends unknown[], R>(options: LatticeOptions, fn: (...args: A) => R & SyncOnly<R>): Lattice<A, R>;
}
/** A node of a transport graph: an electron, a lattice inside the lattice, or a map. */
export interface GraphNode {
  /** Its number in its graph. */
  id: number;
  /** What it is. */
  kind: 'electron' | 'lattice' | 'map';
  /** Of the electron, lattice or map. */
  name: string;
  /** Its arguments, with Refs shown as text. */
  args: unknown;
  /** Nodes that must be done first, without giving data. */
  after: number[];
  /** Options that differ from the defaults. */
  options?: unknown;
  /** What runs for each item of a map. */
  body?: Graph;
}
/** A transport graph, for looking at. */
export interface Graph {
  /** In the order in which the lattice called them. */
  nodes: GraphNode[];
  /** What the lattice returned, with Refs shown as text. */
  output: unknown;
}

/** A task that isn't JavaScript: what language, and where its code is. */
export type LeptonOptions = ElectronOptions & { name: string } & (
    | { language: 'python' /** file or module */; source: string; function: string; pip?: readonly string[] }
    | {
        language: 'shell';
        /** arguments arrive as positional parameters and as environment variables, never pasted into the text */
        command: string | readonly string[];
        output?: 'stdout' | 'json' | 'exitCode';
      }
    | { language: 'c'; library: string; function: string; arguments: readonly string[]; returns: string }
  );
/** What `registerCodec` wants: how instances of a class become plain data and back. `name` must be the same everywhere. */
export interface Codec<T> {
  /** The same in every process; stored with the value. */
  name: string;
  /** Plain data of an instance. */
  encode(value: T): unknown;
  /** An instance of that data. */
  // oxlint-disable-next-line typescript/no-explicit-any
  decode(plain: any): T;
}
