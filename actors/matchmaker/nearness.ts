/**
 * Who of those that have room is nearest to what an electron needs: its bundle, and the large values among its inputs, in bytes. Pure.
 * Not here: whose turn it is, and how many have it (pairing.ts): that is the same whoever is nearest. Why so: docs/adr/031.
 *
 * N1. Nothing waits for who is nearest: only agents that have room now are looked at, and if none of them has anything, who has most room gets it.
 * N2. A bundle is fetched once, inputs for each electron: for its bundle alone an agent is preferred while it has at least half as much room as who has most.
 * N3. At most `LOOKS` agents are looked at for an electron, and none when who has most room has it all.
 */
import type { MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { Outcome, ValueInfo } from '../../model/outcome.ts';
import { INLINE_VALUE_BYTES } from '../../store/store.ts';
import type { AgentState } from './agent-state.ts';
import type { ClassRoom, Pool, RoomKind } from './pool.ts';
import type { Pools } from './pools.ts';
import type { Taken } from './queues.ts';
import { Stocks } from './stocks.ts';

type Sent = Pick<Extract<MatchmakerMessage, { type: 'attempt.send' }>, 'manifest' | 'inputs'>;

/** In which room is looked for. */
export interface Search {
  readonly room: ClassRoom;
  readonly kind: RoomKind;
  readonly at: number;
  /** Nobody in these. */
  readonly kept: ReadonlySet<Pool>;
}

const LOOKS = 24;
const NO_VALUES: readonly ValueInfo[] = [];

export class Nearness {
  readonly #pools: Pools;
  readonly #bundles = new Stocks({ ofAgent: 16, inAll: 65_536 });
  readonly #values = new Stocks({ ofAgent: 128, inAll: 65_536 });

  constructor(pools: Pools) {
    this.#pools = pools;
  }

  /** It fetches what this attempt needs, if it hasn't got it. */
  sent(agent: AgentState, { manifest: { bundle }, inputs }: Sent): void {
    if (bundle !== undefined) this.#bundles.note(agent, bundle.digest);
    if ('digest' in inputs) return;
    for (const input of inputs)
      if (!(input instanceof Uint8Array) && input.size > INLINE_VALUE_BYTES) this.#values.note(agent, input.digest);
  }

  /** What it made it keeps for a while. */
  made(agent: AgentState, outcome: Outcome): void {
    if (outcome.status === 'completed' && outcome.value.size > INLINE_VALUE_BYTES)
      this.#values.note(agent, outcome.value.digest);
  }

  forget(agent: AgentState): void {
    this.#bundles.forget(agent);
    this.#values.forget(agent);
  }

  /** Who takes which of these. `best`: who has most room, and has it for all of them. Undefined: that one takes all. */
  divide(
    { nodes, bundle, large }: Pick<Taken, 'nodes' | 'bundle' | 'large'>,
    best: AgentState,
    search: Search,
  ): ReadonlyMap<AgentState, number[]> | undefined {
    if (search.room.able === 1) return undefined;
    if (large === undefined && !this.#worth(bundle, best)) return undefined;
    const given = new Map<AgentState, number[]>();
    for (const node of nodes) {
      const agent = this.#nearest(bundle, large?.get(node) ?? NO_VALUES, best, search, given);
      const known = given.get(agent);
      if (known === undefined) given.set(agent, [node]);
      else known.push(node);
    }
    return given;
  }

  /** Somebody has it, and this one hasn't. */
  #worth(bundle: ValueInfo | undefined, best: AgentState): boolean {
    if (bundle === undefined || this.#bundles.has(best, bundle.digest)) return false;
    return this.#bundles.holders(bundle.digest).size > 0;
  }

  #nearest(
    bundle: ValueInfo | undefined,
    values: readonly ValueInfo[],
    best: AgentState,
    { room, kind, at, kept }: Search,
    given: ReadonlyMap<AgentState, readonly number[]>,
  ): AgentState {
    const roomOf = (agent: AgentState): number =>
      this.#pools.roomOf(agent, room, kind, at, kept) - (given.get(agent)?.length ?? 0);
    let nearest = best;
    const mostRoom = roomOf(best);
    const bestValues = this.#bytesOf(best, values);
    let [most, its] = [bestValues + this.#codeOf(best, bundle), mostRoom];
    let all = bundle?.size ?? 0;
    for (const { size } of values) all += size;
    if (most === all) return best;
    let looks = 0;
    const look = (holders: ReadonlySet<AgentState>): void => {
      for (const agent of holders) {
        if (++looks > LOOKS) return;
        const bytes = this.#bytesOf(agent, values);
        const whole = bytes + this.#codeOf(agent, bundle);
        if (agent === best || whole < most) continue;
        const has = roomOf(agent);
        if (has <= 0 || (bytes <= bestValues && 2 * has < mostRoom)) continue;
        // Of those that have as much, who has most room; before all of them, who has most of all.
        if (whole === most && (nearest === best || has <= its)) continue;
        [nearest, most, its] = [agent, whole, has];
      }
    };
    for (const holders of this.#rarestFirst(values)) look(holders);
    if (bundle !== undefined) look(this.#bundles.holders(bundle.digest));
    return nearest;
  }

  /** What everybody has would use up all looks. */
  #rarestFirst(values: readonly ValueInfo[]): readonly ReadonlySet<AgentState>[] {
    return values.map(({ digest }) => this.#values.holders(digest)).sort((a, b) => a.size - b.size);
  }

  #bytesOf(agent: AgentState, values: readonly ValueInfo[]): number {
    let bytes = 0;
    for (const { digest, size } of values) if (this.#values.has(agent, digest)) bytes += size;
    return bytes;
  }

  #codeOf(agent: AgentState, bundle: ValueInfo | undefined): number {
    return bundle !== undefined && this.#bundles.has(agent, bundle.digest) ? bundle.size : 0;
  }
}
