/**
 * The public types of definitions: options, electrons, lattices, graphs, codecs.
 * Not here: Refs (ref-types.ts), dispatches and results (result-types.ts), anything that runs.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Args, Out, Ref, Resolved, SyncOnly } from './ref-types.ts';

/** Augment to get checked executor names: declare module 'polaron' { interface Register { executors: 'gpu' | 'cpu' } } */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface
export interface Register {}
export type ExecutorName = Register extends { executors: infer E extends string } ? E : string;
export interface ExecutorSpec {
  type: string;
  [k: string]: unknown;
}
/** A number is milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

export interface RetryOptions {
  /** Further attempts after the first that failed. */
  max: number;
  /** Before the first retry. @default 1 s */
  delay?: Duration;
  /** Factor from one delay to the next. @default 2 */
  backoff?: number;
  /** @default 1 min */
  maxDelay?: Duration;
  /** 0 … 1: share of the delay that is random. @default 0.2 */
  jitter?: number;
  /** error codes or class names */
  retryOn?: string[];
  notOn?: string[];
}
export interface TimeoutOptions {
  queue?: Duration;
  attempt?: Duration;
  total?: Duration;
  /** no heartbeat, log or progress for so long */
  silence?: Duration;
}
export interface ElectronOptions {
  /** identity inside the bundle; default fn.name */
  name?: string;
  /** all of these must be offered by the agent, e.g. ['gpu', 'site=cern', 'memory>=32GiB'] */
  needs?: readonly string[];
  /** at most this many electrons with the same key run at once, over all dispatches of the hub; with `exclusive`, even across a lost agent */
  concurrency?: { key: string; limit: number };
  /** hooks in the electron's own process, in order; what a `before` hook returns under `as` is passed to the electron */
  before?: readonly Hook[];
  after?: readonly Hook[];
  /** never two attempts at once, even in a partition, on machines whose clocks run within 5 % and don't suspend: the agent kills the electron before its lease ends. Refused for jobs handed to Slurm, ssh or http. */
  exclusive?: boolean;
  executor?: ExecutorName | ExecutorSpec;
  retries?: number | RetryOptions;
  /** a bare duration bounds one attempt */
  timeout?: Duration | TimeoutOptions;
  memoryMb?: number;
  isolation?: 'process' | 'thread';
  deps?: Deps;
  env?: Record<string, string>;
  /** defining module, when the stack trace cannot find it: `import.meta.url` */
  module?: string | URL;
  cache?: boolean | { key?: string; ttl?: Duration };
}
/** Installed on the agent before the electron runs, cached by content: npm packages, Python packages (into a venv), shell commands. */
export interface Deps {
  npm?: Record<string, string>;
  pip?: readonly string[];
  shell?: readonly string[];
}
export interface Hook {
  // oxlint-disable-next-line typescript/no-explicit-any
  run: (...args: any[]) => unknown;
  args?: readonly unknown[];
  as?: string;
}
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

export interface Electron<A extends readonly unknown[], R> {
  /** Inside a lattice: adds a node, returns a placeholder. Anywhere else it throws; use `.local()`. */
  (...args: Args<A>): Ref<Out<R>>;
  readonly kind: 'electron';
  readonly electronName: string;
  readonly options: Readonly<ElectronOptions>;
  /** the plain function: runs here and now */
  local(...args: A): R;
  /** same code, other options (executor, retries, ...) */
  with(options: ElectronOptions): Electron<A, R>;
}
/** 'method' shorthand so that A is inferred from fn only */
export interface ElectronFactory {
  <A extends unknown[], R>(fn: (...args: A) => R): Electron<A, R>;
  <const S extends Schemas, R>(
    options: ElectronOptions & { input: S },
    fn: (...args: SchemaArgsOut<S>) => R,
  ): Electron<SchemaArgsIn<S>, R>;
  <A extends unknown[], R>(options: ElectronOptions & { input?: undefined }, fn: (...args: A) => R): Electron<A, R>;
  /** keeps the type parameters of a generic function (the result has no typed members) */
  generic<A extends unknown[], R>(fn: (...args: A) => R, options?: ElectronOptions): (...args: Args<A>) => Ref<Out<R>>;
  /** a factory with other defaults */
  defaults(options: Omit<ElectronOptions, 'name'>): ElectronFactory;
}

export interface LatticeOptions {
  name?: string;
  /** defaults that electrons without their own options inherit */
  electrons?: Omit<ElectronOptions, 'name' | 'module'>;
  /** default 'pipelined'; see architecture.md, "What is durable when" */
  durability?: 'pipelined' | 'strict';
  failFast?: boolean;
  /** the whole dispatch, queueing included */
  timeout?: Duration;
  metadata?: Record<string, string>;
}
export interface Lattice<A extends readonly unknown[], R> {
  /** Inside a lattice: a sub-workflow node. With Refs among the arguments it is traced on an agent when they are known. */
  (...args: Args<A>): Ref<Resolved<R>>;
  readonly kind: 'lattice';
  readonly latticeName: string;
  /** trace only */
  graph(...args: A): Graph;
  /** run in this process, no server */
  local(...args: A): Promise<Resolved<R>>;
  /** the transport graph as Mermaid, Graphviz DOT or SVG */
  draw(format: DrawFormat, ...args: A): string;
}
export type DrawFormat = 'mermaid' | 'dot' | 'svg';
export interface LatticeFactory {
  <A extends unknown[], R>(fn: (...args: A) => R & SyncOnly<R>): Lattice<A, R>;
  <A extends unknown[], R>(options: LatticeOptions, fn: (...args: A) => R & SyncOnly<R>): Lattice<A, R>;
}
export interface GraphNode {
  id: number;
  kind: 'electron' | 'lattice' | 'map';
  name: string;
  args: unknown;
  after: number[];
  options?: unknown;
  body?: Graph;
}
export interface Graph {
  nodes: GraphNode[];
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
  name: string;
  encode(value: T): unknown;
  // oxlint-disable-next-line typescript/no-explicit-any
  decode(plain: any): T;
}
