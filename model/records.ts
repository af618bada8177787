/** What the store keeps of dispatches and electrons. How they become bytes: store/records.ts. */
import type { ExecutorChoices } from './executor-choice.ts';
import type { AgentKey, Digest, DispatchId } from './ids.ts';
import type { DispatchStatus, ElectronStatus } from './lifecycle.ts';
import type { ErrorInfo, Token, ValueInfo, ValueOrigin } from './outcome.ts';
import type { ReplacedElectrons } from './replaced.ts';

export interface NodeFailure {
  /** Name of the node, e.g. `train[3]`. */
  readonly node: string;
  readonly error: ErrorInfo;
}

export type StatusCounts = Readonly<Partial<Record<ElectronStatus, number>>>;

/** What a lattice's options ask of the hub. */
export interface LatticeSettings {
  readonly metadata: Readonly<Record<string, string>>;
  readonly durability: 'pipelined' | 'strict';
  readonly failFast: boolean;
  /** 0: none. */
  readonly timeoutMs: number;
}

/** What is fixed when a dispatch is accepted. Times are wall-clock ms. */
export interface DispatchSpec extends LatticeSettings {
  readonly id: DispatchId;
  readonly user: string;
  readonly key: string;
  readonly lattice: { readonly name: string; readonly source: string };
  readonly graph: ValueInfo;
  readonly args: ValueInfo;
  readonly bundle?: ValueInfo;
  readonly argv: readonly string[];
  readonly captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Digest of each electron's own code, by its name; the code of one that isn't here is the bundle. */
  readonly codes?: Readonly<Record<string, Digest>>;
  /** Made from another dispatch. */
  readonly origin?: Origin;
  /** Some of its electrons look for their values in the cache. */
  readonly caches?: true;
  /** Electrons that stand for those which the lattice names. */
  readonly replaced?: ReplacedElectrons;
  /** Given at dispatch: for lattices inside, whose graphs come later. */
  readonly executors?: ExecutorChoices;
  readonly priority: number;
  /** Nodes of the graph, maps not expanded. */
  readonly nodes: number;
  /** Values that the graph refers to. */
  readonly literals: readonly ValueInfo[];
  readonly acceptedAt: number;
  /** The lattice node that it is, how many lattices are around it, and the outermost of those. */
  readonly outer?: {
    readonly dispatch: DispatchId;
    readonly node: number;
    readonly level: number;
    readonly root: DispatchId;
  };
}

/** Code that it needs. */
export function bundlesOf({ bundle, replaced }: Pick<DispatchSpec, 'bundle' | 'replaced'>): readonly ValueInfo[] {
  const own = bundle === undefined ? [] : [bundle];
  if (replaced === undefined) return own;
  return [...own, ...Object.values(replaced).flatMap(({ bundle: other }) => (other === undefined ? [] : [other]))];
}

/** The dispatch that another was made from, and the first of them all. Both may be gone. */
export interface Origin {
  readonly of: DispatchId;
  readonly root: DispatchId;
  /** Values of `of` are taken over where code and inputs are the same. */
  readonly reuse: boolean;
  /** Of a lattice inside another: the outermost, which was made from `of`. */
  readonly by?: DispatchId;
}

/** What changes while it runs. */
export interface DispatchRecord {
  readonly status: DispatchStatus;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly seq: number;
  /** Only once ended. */
  readonly counts?: StatusCounts;
  readonly errors: readonly NodeFailure[];
  /** A cancel was asked for and recorded. */
  readonly cancel?: string;
}

export interface ElectronRecord {
  readonly status: ElectronStatus;
  /** Number of the last attempt; 0: none yet. */
  readonly attempt: number;
  /** Attempts that failed by the electron's own fault, and those lost with their agent. */
  readonly failures: number;
  readonly losses: number;
  readonly token?: Token;
  readonly agent?: AgentKey;
  readonly inputsDigest?: Digest;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Wall clock when a back-off ends. */
  readonly retryAt?: number;
  /** Wall clock when it has waited for too long to run, and when all of it takes too long; only with such an option. */
  readonly queueDue?: number;
  readonly totalDue?: number;
  /** Agents that attempts were lost with. */
  readonly lostWith?: readonly AgentKey[];
  readonly value?: ValueInfo;
  /** Of one that was taken over. */
  readonly from?: ValueOrigin;
  readonly error?: ErrorInfo;
  /** Node id of what a skipped one waited for. */
  readonly cause?: number;
  /** Last durable transition; 0: none. */
  readonly seq: number;
}

/** An attempt that its electron's record doesn't tell of, since another followed, or none was allowed to. Times are wall-clock ms. */
export interface AttemptRecord {
  readonly status: 'failed' | 'lost';
  readonly agent?: AgentKey;
  /** When it began to run; of a lost one, when it was given out. */
  readonly startedAt?: number;
  readonly endedAt: number;
  readonly error: ErrorInfo;
}

/** A map that became nodes: items × body nodes, from `base` on. */
export interface ExpansionRecord {
  /** Node id of the map. */
  readonly map: number;
  readonly base: number;
  /** Nodes that it became. */
  readonly count: number;
  /** One value per item. */
  readonly items: readonly ValueInfo[];
}
