/** Narrow interfaces that the hub's actors share. The composition root makes them. */
import type { Clock } from '../model/clock.ts';
import type { ElectronDef, WireGraph } from '../model/graph.ts';
import type { Digest, DispatchId, TaskId } from '../model/ids.ts';
import type { ValueInfo } from '../model/outcome.ts';
import type { ElectronRecord } from '../model/records.ts';
import type { Requirement } from '../bus/protocol/actors.ts';
import type { Manifest } from '../bus/protocol/agent.ts';
import type { EventType } from '../bus/protocol/api.ts';
import type { ResultsClient } from './results-client.ts';
import type { ActorSystem, Address } from './system.ts';

/** The hub's epoch: the first half of every fencing token. Raised (and flushed) when an agent reports a higher one. */
export interface Epoch {
  value: number;
}

/** Small values seen lately, so that a dependent's inputs need no read. */
export interface ValueCache {
  get(digest: Digest): Uint8Array | undefined;
  put(digest: Digest, bytes: Uint8Array): void;
}

/** Publishes an event; the caller has waited for the flush where it must (durable ones). */
export type PublishEvent = (event: {
  readonly user: string;
  readonly dispatch: string;
  readonly type: EventType;
  readonly seq: number;
  readonly transient: boolean;
  readonly node?: number;
  readonly electron?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}) => void;

/** Something that is told only if it still holds after a moment. */
export interface Lingering {
  tell(): void;
}

/** Keeps what waits for its moment to be over. */
export interface Moment {
  readonly wait: (one: Lingering) => void;
  /** It isn't worth telling any more. */
  readonly forget: (one: Lingering) => void;
  /** Has all that wait told now. */
  readonly end: () => void;
}

/** An electron to work on: what stays the same over all attempts. */
export interface ElectronWork {
  readonly task: TaskId;
  /** Where its actor is. */
  readonly address: Address;
  readonly dispatch: DispatchId;
  readonly user: string;
  readonly node: number;
  readonly name: string;
  /** Where it stands in the graph, of a map's item. */
  readonly path: string | undefined;
  readonly def: ElectronDef;
  readonly manifest: Manifest;
  readonly requirement: Requirement;
  readonly priority: number;
  /** The outermost dispatch around it. */
  readonly root: DispatchId;
  readonly template: Uint8Array;
  readonly inputs: readonly ValueInfo[];
  readonly inputsDigest: Digest;
  readonly split: boolean;
  readonly strict: boolean;
  /** Under which its value is found by others; undefined: it isn't. */
  readonly cacheKey: Digest | undefined;
}

/** What all actors of dispatches share. */
export interface HubServices {
  readonly system: ActorSystem;
  readonly results: ResultsClient;
  readonly values: ValueCache;
  readonly clock: Clock;
  readonly random: () => number;
  readonly publish: PublishEvent;
  readonly moment: Moment;
  readonly epoch: Epoch;
  /** Attempts lost with their agents that are too many (H9). @default 10 */
  readonly maxLosses?: number | undefined;
}

/** What the electrons of one dispatch have of their own. */
interface DispatchServices {
  readonly supervisor: Address;
  readonly matchmaker: Address;
  /** The dispatch's next durable seq. */
  readonly nextSeq: () => number;
  readonly lastSeq: () => number;
  /** Its supervisor began from records. */
  readonly resumed: () => boolean;
}

export interface ElectronServices extends HubServices, DispatchServices {}

/** Field by field: V8 makes a new shape for each object that begins with a spread and goes on, and every use of it misses its caches. */
export const electronServices = (hub: HubServices, own: DispatchServices): ElectronServices => ({
  system: hub.system,
  results: hub.results,
  values: hub.values,
  clock: hub.clock,
  random: hub.random,
  publish: hub.publish,
  moment: hub.moment,
  epoch: hub.epoch,
  maxLosses: hub.maxLosses,
  supervisor: own.supervisor,
  matchmaker: own.matchmaker,
  nextSeq: own.nextSeq,
  lastSeq: own.lastSeq,
  resumed: own.resumed,
});

/** Puts an electron actor at its address; `restored`: from its record, after a restart. */
export type SpawnElectron = (work: ElectronWork, services: ElectronServices, restored?: ElectronRecord) => void;

/** Decoded graphs of late: accepting, supervising and answering all need one. By the digest of its bytes. */
export interface GraphCache {
  get(digest: Digest): WireGraph | undefined;
  put(digest: Digest, graph: WireGraph): void;
}

/** What the result manager finds in memory when it lives in the hub's process: saves it reads, and changes no answer. */
export interface NearMemory {
  readonly values: ValueCache;
  readonly graphs: GraphCache;
}
