/**
 * The transport graph as it travels and is stored. The hub reads its structure; argument templates are bytes to it.
 * Not here: making one (sdk/trace), checking a hostile one (graph-check.ts), running one (actors/lattice).
 */
import type { Digest } from './ids.ts';

/**
 * Where one input of a node comes from:
 *  - a number: the value of that node of the same scope;
 *  - `{ up, node }`: of a node `up` scopes further out (inside a map's body);
 *  - `{ item: up }`, `{ index: up }`: the current element, or its position, of the map `up` scopes out (0: the innermost);
 *  - `{ value }`: a stored value.
 */
export type Input =
  | number
  | { readonly up: number; readonly node: number }
  | { readonly item: number }
  | { readonly index: number }
  | { readonly value: Digest };

/** What the hub and the agents need to know of an electron. Durations are milliseconds. */
export interface ElectronDef {
  readonly name: string;
  /** Capability that an agent must offer to run it. Default `process`. */
  readonly executor: string;
  readonly executorOptions?: Readonly<Record<string, unknown>>;
  readonly needs: readonly string[];
  readonly retries: RetryPolicy;
  readonly timeouts: Timeouts;
  /** At most so many electrons of the user with this key have an agent at a time. */
  readonly concurrency?: Concurrency;
  /** Never two attempts at once. */
  readonly exclusive?: boolean;
  readonly memoryMb?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly deps?: DepsDef;
  /** With `deps`: where it is defined, `file:line`, for messages. */
  readonly at?: string;
  /** What puts its lattice's hooks around it: an electron of the bundle, `polaron:hooks:LATTICE`. */
  readonly hooks?: string;
  /** Its value is taken from an earlier run that was the same, of whatever dispatch of the user. */
  readonly cache?: CacheDef;
}

export interface CacheDef {
  /** Beside code and inputs: what else decides the value. At most LONGEST_KEY characters. */
  readonly key?: string;
  /** How old a value may be; absent: as old as it is. */
  readonly ttlMs?: number;
}

/** What an agent installs before the electron runs, as the user wrote it; sorted where the order has no meaning. */
export interface DepsDef {
  /** Package → version or range, as in a package.json. */
  readonly npm?: Readonly<Record<string, string>>;
  /** Lines of a requirements file. */
  readonly pip?: readonly string[];
  /** Commands, in order. */
  readonly shell?: readonly string[];
}

/** Characters of a concurrency key, and of a cache's. */
export const LONGEST_KEY = 200;
export interface Concurrency {
  readonly key: string;
  readonly limit: number;
}

export interface RetryPolicy {
  /** Further attempts after the first that failed. */
  readonly max: number;
  readonly delayMs: number;
  readonly backoff: number;
  readonly maxDelayMs: number;
  /** 0 … 1: share of the delay that is random. */
  readonly jitter: number;
  /** Error codes or class names; empty: all retryable ones. */
  readonly retryOn: readonly string[];
  readonly notOn: readonly string[];
}

/** 0: none. */
export interface Timeouts {
  readonly queueMs: number;
  readonly attemptMs: number;
  readonly totalMs: number;
  readonly silenceMs: number;
}

/** An electron's node: `template` is an encoded array of arguments with references into `inputs` (bus/value/template.ts). */
export interface ElectronNode {
  readonly kind: 'electron';
  /** Index into `WireGraph.electrons`. */
  readonly electron: number;
  readonly template: Uint8Array;
  readonly inputs: readonly Input[];
  /** Nodes of the same scope that must be done first, without data. */
  readonly after: readonly number[];
  /** The value is mapped over: the runner encodes an array as a list that the hub can cut. */
  readonly split?: boolean;
}

/** One run of `body` per element of the value of `over`. */
export interface MapNode {
  readonly kind: 'map';
  readonly name: string;
  readonly over: Input;
  readonly after: readonly number[];
  /** 0: no limit. */
  readonly concurrency: number;
  readonly onItemError: 'fail' | 'collect';
  /** Where the user wrote it, for errors: `flow.ts:12`. */
  readonly at?: string;
  readonly body: MapBody;
}

export interface MapBody {
  readonly nodes: readonly WireNode[];
  /** The body node whose value is the item's result. */
  readonly output: number;
}

/**
 * A dispatch of its own (docs/adr/019-sublattices.md). `graph` is a list value that the hub cuts: the encoded graph as bytes, the arguments, the values that the
 * graph names. The first input of that graph's output is what the node gives.
 */
export interface LatticeNode {
  readonly kind: 'lattice';
  readonly name: string;
  readonly graph: Input;
  readonly after: readonly number[];
}

export type WireNode = ElectronNode | MapNode | LatticeNode;

/** Where a node's data comes from. */
export function inputsOf(node: WireNode): readonly Input[] {
  if (node.kind === 'electron') return node.inputs;
  return [node.kind === 'map' ? node.over : node.graph];
}

export interface WireGraph {
  readonly electrons: readonly ElectronDef[];
  readonly nodes: readonly WireNode[];
  /** The lattice's result: an encoded template and what it refers to; the SDK fills it in. */
  readonly output: { readonly template: Uint8Array; readonly inputs: readonly Input[] };
}

/** Before a lattice's name: the electron that draws it. */
export const DRAWING = 'lattice:';

/** Before a lattice's name: the electron of its bundle that makes a function one with the lattice's hooks around it. */
export const HOOKING = 'polaron:hooks:';

/** The lattice that an electron of a bundle stands for, if it is no electron of a user's. */
export function latticeBehind(electron: string): string | undefined {
  const prefix = [DRAWING, HOOKING].find((one) => electron.startsWith(one));
  return prefix === undefined ? undefined : electron.slice(prefix.length);
}

/** Lattices inside lattices. */
export const MOST_LEVELS = 32;

/** The electron that returns its one argument as it is; needs no bundle. Used for `.map` over a path into a value and for map bodies that return plain data. */
export const IDENTITY_ELECTRON = 'polaron:identity';

export const DEFAULT_RETRY: RetryPolicy = {
  max: 0,
  delayMs: 1_000,
  backoff: 2,
  maxDelayMs: 60_000,
  jitter: 0.2,
  retryOn: [],
  notOn: [],
};
export const NO_TIMEOUTS: Timeouts = { queueMs: 0, attemptMs: 0, totalMs: 0, silenceMs: 0 };
