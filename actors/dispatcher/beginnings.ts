/**
 * Begins dispatches: puts a supervisor to work on what was accepted, or on what the records say. See docs/adr/017-waiting-dispatches.md.
 *
 * B1. A dispatch that can do nothing but wait for an agent has no supervisor while so many others of its priority or a higher one wait for the same:
 *     it stays `accepted`, on disk and as a row here. Its turn comes as those are given out.
 * B2. What addresses it alone begins it out of turn: a cancel, an agent's claim or outcome. It begins from its records, as after a restart.
 * B3. One whose times run (a timeout of its own, or of an electron) never waits here, and neither does one that takes values over: it may want no agent.
 * B4. One inside another begins when its records are on disk: it has the same id after a restart that undid them, which would give out again what agents still have.
 */
import type { LatticeMessage } from '../../bus/protocol/actors.ts';
import type { DispatchSpec, LoadedDispatch } from '../../bus/protocol/results.ts';
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import type { WireGraph } from '../../model/graph.ts';
import type { DispatchId } from '../../model/ids.ts';
import type { ResultsClient } from '../results-client.ts';
import type { GraphCache } from '../services.ts';
import type { ActorSystem, Address } from '../system.ts';
import type { Admission } from './admission.ts';
import { firstNeedOf, type FirstNeed } from './first-need.ts';
import { needOf } from '../requirement.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface BeginningsOptions {
  readonly system: ActorSystem;
  readonly dispatcher: Address;
  readonly results: ResultsClient;
  readonly graphs: GraphCache;
  readonly live: Admission;
  /** Puts a supervisor at its address. */
  readonly spawnSupervisor: (id: DispatchId) => void;
  /** Dispatches of this priority or a higher one that wait for such an agent. */
  readonly waitingAhead: (key: string, priority: number) => number;
  /** It can't begin: its records can't be read. */
  readonly onFailed: (id: DispatchId, error: unknown) => void;
  /** @default 1024 */
  readonly mostWaiting?: number | undefined;
}

/** Agents are never short of work with so many to choose from, and each has its turn among them. */
const MOST_WAITING = 1_024;
/** Dispatches that a restarted hub reads at once: the result manager may be in another process, and a round trip for each would add up. */
const RESUMED_AT_ONCE = 64;

export class Beginnings {
  readonly #o: BeginningsOptions;
  readonly #most: number;
  readonly #room = new WaitingRoom();
  /** Inside others, and not on disk: resolve when they have begun. */
  readonly #unflushed = new Map<DispatchId, Promise<void>>();
  /** Taken from the room, and being read. */
  readonly #reading = new Map<string, number>();

  constructor(options: BeginningsOptions) {
    this.#o = options;
    this.#most = options.mostWaiting ?? MOST_WAITING;
  }

  /** What it waits for without a supervisor; undefined: it has begun, or ended. */
  needOf(id: DispatchId): FirstNeed | undefined {
    return this.#room.needOf(id);
  }

  /** Its records are queued. */
  accepted(spec: DispatchSpec, graph: WireGraph): void {
    this.#o.graphs.put(spec.graph.digest, graph);
    this.#o.live.add(spec.id, spec.nodes);
    if (!this.#waits(spec, graph)) this.#begin({ type: 'lattice.start', spec, graph });
  }

  /** One inside another, whose records are queued (B4). */
  inside(spec: DispatchSpec, graph: WireGraph): void {
    this.#o.live.add(spec.id, spec.nodes);
    const begun = new Promise<void>((resolve) =>
      this.#o.results.afterFlush(() => {
        this.#unflushed.delete(spec.id);
        this.accepted(spec, graph);
        resolve();
      }),
    );
    this.#unflushed.set(spec.id, begun);
  }

  /** Puts every dispatch that has not ended back to work, or in the room. Resolves with those of lattices inside others that have ended. */
  async recover(ids: readonly DispatchId[]): Promise<readonly DispatchId[]> {
    const live = new Set(ids);
    const left = ids[Symbol.iterator]();
    const orphans: DispatchId[] = [];
    const some = async (): Promise<void> => {
      for (const id of left) {
        const { outer } = await this.#recover(id);
        if (outer !== undefined && !live.has(outer.dispatch)) orphans.push(id);
      }
    };
    await Promise.all(Array.from({ length: RESUMED_AT_ONCE }, some));
    return orphans;
  }

  /** Begins it from its records. */
  async resume(id: DispatchId): Promise<void> {
    this.#resume(await this.#o.results.ask('results.load', { id }));
  }

  /** Somebody means this one (B2). Resolves when it has begun; at once when it had. */
  async wake(id: DispatchId): Promise<void> {
    await this.#unflushed.get(id);
    if (this.#room.remove(id)) await this.#resumed(id);
  }

  /** Some were given out or withdrawn: those whose turn it is begin. */
  readonly next = (): void => {
    if (this.#room.size === 0) return;
    for (const { key, priority } of this.#room.fronts()) {
      for (let free = this.#free(key, priority); free > 0; free--) {
        const id = this.#room.take(key, priority);
        if (id === undefined) break;
        this.#read(key, 1);
        void this.#resumed(id).finally(() => {
          this.#read(key, -1);
          // It may want no agent: one that has it already was adopted, or it could not begin.
          this.next();
        });
      }
    }
  };

  async #recover(id: DispatchId): Promise<DispatchSpec> {
    const loaded = await this.#o.results.ask('results.load', { id });
    const { spec, record, electrons } = loaded;
    this.#o.live.add(id, spec.nodes);
    const begun = record.status !== 'accepted' || electrons.length > 0;
    if (begun || !this.#waits(spec, this.#graphOf(loaded))) this.#resume(loaded);
    return spec;
  }

  async #resumed(id: DispatchId): Promise<void> {
    await this.resume(id).catch((error: unknown) => this.#o.onFailed(id, error));
  }

  #resume(loaded: LoadedDispatch): void {
    this.#o.live.add(loaded.spec.id, loaded.spec.nodes);
    this.#begin({ type: 'lattice.resume', ...loaded, graph: this.#graphOf(loaded) });
  }

  /** Many dispatches of one lattice share one decoded graph. */
  #graphOf({ spec, graph: bytes }: LoadedDispatch): WireGraph {
    const { digest } = spec.graph;
    const graph = this.#o.graphs.get(digest) ?? decodeGraph(bytes);
    this.#o.graphs.put(digest, graph);
    return graph;
  }

  #begin(message: Extract<LatticeMessage, { type: 'lattice.start' | 'lattice.resume' }>): void {
    const { system, dispatcher } = this.#o;
    const { id } = message.spec;
    this.#o.spawnSupervisor(id);
    system.send(system.address('lattice', id), message, dispatcher);
  }

  /** True: it is in the room now. */
  #waits({ id, priority, timeoutMs, user, origin }: DispatchSpec, graph: WireGraph): boolean {
    const need = timeoutMs > 0 || origin?.reuse === true ? undefined : firstNeedOf(graph, user);
    if (need === undefined || this.#free(needOf(need.requirement), priority) > 0) return false;
    this.#room.add(id, need, priority, user);
    return true;
  }

  #free(key: string, priority: number): number {
    return this.#most - this.#o.waitingAhead(key, priority) - (this.#reading.get(key) ?? 0);
  }

  #read(key: string, by: 1 | -1): void {
    const reading = (this.#reading.get(key) ?? 0) + by;
    if (reading === 0) this.#reading.delete(key);
    else this.#reading.set(key, reading);
  }
}
