/**
 * What an SDK copy and the runner that loads a bundle agree on: one registry on globalThis, so that several copies of the SDK
 * (the user's, the bundle's, ESM and CJS) and the runner see the same definitions. Shapes only; changing them needs a new symbol version.
 */

import type { LeptonSpec } from '../../model/lepton.ts';

export const REGISTRY = Symbol.for('polaron.registry.v1');

export interface ElectronEntry {
  readonly name: string;
  /** The plain function. */
  readonly fn: (...args: never[]) => unknown;
  /** Where it was defined, `file:line`, and the defining module's file (undefined: not a file). */
  readonly at: string;
  readonly file: string | undefined;
}

export interface LatticeEntry {
  readonly name: string;
  readonly lattice: unknown;
  readonly at: string;
  readonly file: string | undefined;
}

/** Set by the runner before it imports a bundle: the SDK's agent shim calls these. */
export interface AgentHooks {
  /** `dispatch`, `dispatchSync`, `redispatch`, `getResult`, … was reached: loading ends here; the call returns a promise that never settles. */
  onHalt(what: string): void;
  /** The running task's context; undefined outside one. */
  currentTask(): TaskContextShape | undefined;
  /** Runs a lepton for the running task; what a bundle holds of one calls it. */
  readonly lepton?: (spec: LeptonSpec, args: readonly unknown[]) => Promise<unknown>;
}

/** What a running electron may ask for and tell. */
export interface TaskContextShape {
  /** The dispatch that it belongs to; `local` in `.local()`. */
  readonly dispatchId: string;
  /**
   * Names the node in its dispatch, the same in each attempt and after a restart of the hub: its number, or for an item of a map where it stands in
   * the graph, e.g. `2[3].0`. With `dispatchId` it is a key for effects outside. `electron.local()` has the electron's name here.
   */
  readonly nodeId: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Its definition's name, also for an item of a map. */
  readonly electronName: string;
  /** Of the dispatch that it is in. */
  readonly latticeName: string;
  /** Who dispatched it. */
  readonly user: string;
  /** The lattice's, or what the dispatch was given. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Aborted when the attempt has to stop: its `reason` is an `AbortError` with the code `CANCELLED` or `TIMEOUT`. */
  readonly signal: AbortSignal;
  /** A folder of this attempt alone, empty at first, removed when it has ended. Made when this is first read. */
  readonly scratchDir: string;
  /** What `before` hooks of this attempt returned, by their `as`. */
  readonly injected: Readonly<Record<string, unknown>>;
  /** An entry for `watch` and `logs`, with fields. */
  readonly log: (message: string, fields?: Record<string, unknown>) => void;
  /** How far it is, 0 to 1, for `watch`; also a sign of life for `timeout.silence`. */
  readonly progress: (fraction: number, note?: string) => void;
}

/** On the error that says a hook failed: the runner reports what was thrown, with the hook's name before it. */
export const HOOK_FAILURE = Symbol.for('polaron.hook-failure.v1');
export interface HookFailure {
  /** Electron, place and hook. */
  readonly what: string;
  readonly thrown: unknown;
}

const AROUND = Symbol.for('polaron.around.v1');
type Fn = (...args: never[]) => unknown;

/** `outer`, known to stand around `inner`: input schemas and hooks do. */
export const around = (outer: Fn, inner: Fn): Fn => Object.defineProperty(outer, AROUND, { value: inner });

/** The user's own function in whatever was put around it. */
export function innermost(fn: Fn): Fn {
  const inner: unknown = Reflect.get(fn, AROUND);
  return isFunction(inner) ? innermost(inner) : fn;
}
const isFunction = (x: unknown): x is Fn => typeof x === 'function';

export interface CodecEntry {
  readonly name: string;
  /** Where it was registered, `file:line`. */
  readonly at?: string;
  readonly ctor: abstract new (...args: never[]) => unknown;
  readonly encode: (value: never) => unknown;
  readonly decode: (value: never) => unknown;
}

export interface Registry {
  /** All definitions, in order; two of one name from different places are both kept (ELECTRON_AMBIGUOUS is decided by who uses them). */
  readonly electrons: ElectronEntry[];
  readonly lattices: LatticeEntry[];
  readonly codecs: Map<string, CodecEntry>;
  /** The trace under way, if any; opaque to the runner. */
  builder: unknown;
  agent: AgentHooks | undefined;
  /** npm packages that definitions name in `deps.npm`: package → version. Absent: none. */
  packages?: Map<string, string>;
}

const isRegistry = (x: unknown): x is Registry =>
  typeof x === 'object' && x !== null && 'electrons' in x && 'codecs' in x;

/** Once made it stays: whoever found it needn't look again, and every call of an electron asks. */
let known: Registry | undefined;

/** The process-wide registry; made at the first call. */
export function registry(): Registry {
  known ??= findOrMake();
  return known;
}

function findOrMake(): Registry {
  const found: unknown = Reflect.get(globalThis, REGISTRY);
  if (isRegistry(found)) return found;
  const made: Registry = { electrons: [], lattices: [], codecs: new Map(), builder: undefined, agent: undefined };
  Reflect.set(globalThis, REGISTRY, made);
  return made;
}
