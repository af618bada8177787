/** What a seed does, as data: it can be printed, shrunk and run again. Times are ms since the beginning. Not here: how one is made up (make-plan.ts). */
import type { Concurrency, Input, Timeouts } from '../../../model/graph.ts';
import { netFaults, type NetFault } from './sim-bus.ts';

/** What an electron does each time that it runs. */
export interface Does {
  /** How long it runs. */
  readonly ms: number;
  /** Attempts up to this number fail. */
  readonly fails: number;
  /** It gives a sign of life so often; 0: never. */
  readonly signMs: number;
  /** Gives a list of so many elements; 0: a plain value. */
  readonly list: number;
  /** Its value doesn't fit into a message. */
  readonly large: boolean;
  /** It takes its agent with it. */
  readonly kills: boolean;
  /** Another attempt gives another value. */
  readonly varies: boolean;
  /** Its value is this graph, for the lattice that takes it. */
  readonly draws?: GraphPlan;
}

/** `arg`: a value that came with the graph around it: what drew the graph gives it its own inputs, and the digest of its call. */
export type PlanInput = Input | { readonly arg: number };

export interface ElectronPlan {
  readonly kind: 'electron';
  readonly does: Does;
  readonly inputs: readonly PlanInput[];
  readonly after: readonly number[];
  readonly retries: number;
  readonly timeouts: Timeouts;
  readonly concurrency?: Concurrency;
  readonly exclusive?: boolean;
}
export interface MapPlan {
  readonly kind: 'map';
  readonly over: number;
  readonly after: readonly number[];
  readonly concurrency: number;
  /** Tells of each item its value or its error. */
  readonly collects?: boolean;
  readonly body: readonly (ElectronPlan | LatticePlan)[];
  readonly output: number;
}
/** A lattice inside the graph: a dispatch of its own. */
export interface LatticePlan {
  readonly kind: 'lattice';
  /** The node of the same scope that draws it, or what was known when the graph around it was made. */
  readonly graph: number | GraphPlan;
  readonly after: readonly number[];
}
export type NodePlan = ElectronPlan | MapPlan | LatticePlan;

/** What a lattice inside runs, and the node that gives its value. */
export interface GraphPlan {
  readonly nodes: readonly NodePlan[];
  readonly output: number;
  /** Its electrons are those of another graph, and are named as there. */
  readonly names?: string;
}

export interface DispatchPlan {
  readonly at: number;
  readonly strict: boolean;
  readonly failFast: boolean;
  readonly priority: number;
  readonly timeoutMs: number;
  readonly nodes: readonly NodePlan[];
  readonly output: readonly number[];
  /** Values that come with its graph. */
  readonly args?: readonly string[];
  /** It tells the digest of each electron's code: that of all, without. */
  readonly codes?: boolean;
}

/** A dispatch made from another one. */
export interface RedispatchPlan {
  readonly at: number;
  /** A dispatch of the plan or, numbered after those, a redispatch before this one. */
  readonly of: number;
  /** It waits for the end of the other one. */
  readonly ended: boolean;
  readonly reuse: boolean;
  /** Electrons of the graph in whose place others stand. */
  readonly replace: readonly { readonly name: string; readonly electron: ElectronPlan }[];
  /** The graph is drawn anew with these. */
  readonly args?: readonly string[];
}

export interface AgentPlan {
  readonly slots: number;
  /** It runs on the hub's machine and shares its power. */
  readonly local: boolean;
}

export interface CancelPlan {
  readonly at: number;
  readonly dispatch: number;
  /** One of the dispatches inside, of those known by then. */
  readonly inner?: number;
  /** Absent: all of it. */
  readonly nodes?: readonly number[];
}

export const faultKinds = [
  'drop',
  'duplicate',
  'delay',
  'reorder',
  'garble',
  'silence',
  'sever',
  'kill-hub',
  'cut-hub',
  'kill-results',
  'kill-agent',
  'cut-agent',
  'drain-agent',
  'twin-agent',
  'crash-attempt',
  'crash-supervisor',
  'restart-broker',
  'skew-clock',
  'slow-disk',
  'fail-write',
] as const;
export type FaultKind = (typeof faultKinds)[number];
/** Those that take a process or a machine away. */
export const crashKinds: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'kill-hub',
  'cut-hub',
  'kill-results',
  'kill-agent',
  'cut-agent',
  'crash-attempt',
  'crash-supervisor',
  'restart-broker',
]);
export const isNetFault = (kind: FaultKind): kind is NetFault => netFaults.some((fault) => fault === kind);

export interface FaultPlan {
  readonly kind: FaultKind;
  readonly at: number;
  /** How long it lasts, or how long what died stays away. */
  readonly ms: number;
  /** A client (`hub`, `kim`, `a1`…) or an agent, by the kind; '': all. */
  readonly target: string;
  /** Share of messages, ms of delay, ms of skew or of a flush, by the kind. */
  readonly amount: number;
}

/** The hub is killed `afterMs` after so many dispatches inside others, or electrons of those, were recorded to have begun or ended, or electrons to be reused, and stays away for `ms`. */
export interface CrashPoint {
  readonly record: 'begun' | 'electron' | 'ended' | 'reused';
  readonly nth: number;
  readonly afterMs: number;
  readonly ms: number;
}

export interface RunPlan {
  readonly seed: number;
  /** The result manager has a process of its own. */
  readonly isolated: boolean;
  /** The broker dies with the hub. */
  readonly embedded: boolean;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly flushMs: number;
  readonly agents: readonly AgentPlan[];
  readonly dispatches: readonly DispatchPlan[];
  readonly redispatches?: readonly RedispatchPlan[];
  readonly cancels: readonly CancelPlan[];
  /** Assigns, counted from 1, whose first electron is cancelled as soon as they are sent: the cancel may overtake them. */
  readonly cancelled: readonly number[];
  readonly faults: readonly FaultPlan[];
  readonly crashes?: readonly CrashPoint[];
}

export const agentName = (index: number): string => `a${index + 1}`;
/** When the last fault is over. */
export const quietAt = (plan: RunPlan): number => Math.max(0, ...plan.faults.map(({ at, ms }) => at + ms));
