/**
 * Which nodes of a dispatch need not run, since another dispatch has their value: the one that this one was made from, or (`cache`) any of the user. Judged when their
 * inputs are known, before an agent is asked.
 * Not here: what a key is (bus/reuse-key.ts), what the other dispatch has (reuse-table.ts), what the cache has (actors/results/cached.ts), what follows (state.ts).
 *
 * R1. A node waits until it is judged. What was taken over is in its record; what wasn't is judged again after a restart.
 * R2. So many in a turn: a long chain of values that are all there is no deep call and no long turn.
 * R3. What is found in the cache is under its key from then on, as old as it was: the dispatch that made it may be purged. The entry is written
 * right after the record of what was taken over, with no question between them: so in its batch.
 */
import type { CachedValue, RecordOp } from '../../bus/protocol/results.ts';
import { ReuseKeys } from '../../bus/reuse-key.ts';
import type { Clock } from '../../model/clock.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { CacheDef, WireGraph } from '../../model/graph.ts';
import type { Digest } from '../../model/ids.ts';
import type { DispatchSpec } from '../../model/records.ts';
import type { ResultsClient } from '../results-client.ts';
import type { ReuseTable, ReuseTables } from './reuse-table.ts';
import type { LatticeState } from './state.ts';

export interface ReuseOptions {
  readonly spec: DispatchSpec;
  readonly state: LatticeState;
  readonly results: Pick<ResultsClient, 'ask' | 'write'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Reads what the other dispatch has; absent: it takes nothing over from one. */
  readonly load?: () => Promise<ReuseTable>;
  /** There is more to judge, in the supervisor's next turn. */
  readonly more: () => void;
}

/** By the indices of their definitions, which electrons are judged; undefined: none. */
export function judgesOf({ origin }: DispatchSpec, graph: WireGraph): ((electron: number) => boolean) | undefined {
  if (origin?.reuse === true) return () => true;
  const { electrons } = graph;
  const some = electrons.some(({ cache }) => cache !== undefined);
  return some ? (electron) => electrons[electron]?.cache !== undefined : undefined;
}

/** Undefined: this dispatch takes nothing over. */
export function reuseFor(
  spec: DispatchSpec,
  state: LatticeState,
  services: Pick<ReuseOptions, 'results' | 'clock'> & { readonly reuseTables: ReuseTables },
  more: () => void,
): Reuse | undefined {
  const { id, origin } = spec;
  if (judgesOf(spec, state.plan.graph) === undefined) return undefined;
  const { results, clock, reuseTables } = services;
  const options = { spec, state, results, clock, more };
  if (origin?.reuse !== true) return new Reuse(options);
  return new Reuse({ ...options, load: () => reuseTables.of(origin.of, origin.by ?? id) });
}

/** Some ms. */
const MOST_IN_TURN = 1_000;
const NOTHING: ReuseTable = new Map();

/** A node whose value may be in the cache. */
interface Wanted {
  readonly node: number;
  readonly key: Digest;
  readonly cache: CacheDef;
}

export class Reuse {
  readonly #o: ReuseOptions;
  readonly #keys: ReuseKeys;
  #waiting: number[] = [];
  #loads = false;
  #failure: Error | undefined;
  #table: ReuseTable | undefined;
  /** What the cache has answered. */
  #looked: { readonly wanted: readonly Wanted[]; readonly found: readonly (CachedValue | undefined)[] }[] = [];
  #left = MOST_IN_TURN;
  /** R3: the entries of what was taken over and isn't recorded yet, by node. */
  readonly #taken = new Map<number, RecordOp>();

  constructor(options: ReuseOptions) {
    this.#o = options;
    this.#keys = new ReuseKeys(options.spec, options.state);
    if (options.load === undefined) this.#table = NOTHING;
  }

  /** Its inputs are known. */
  add(node: number): void {
    this.#waiting.push(node);
    const { load } = this.#o;
    if (this.#loads || load === undefined) return;
    this.#loads = true;
    void this.#load(load);
  }

  /** The turn after `more`. */
  turn(): void {
    this.#left = MOST_IN_TURN;
  }

  /** Judges what waits, as far as this turn goes. True: the state may have decided something. Raises why the other dispatch can't be read. */
  go(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    const table = this.#table;
    const looked = this.#looked.splice(0);
    for (const { wanted, found } of looked) wanted.forEach((one, i) => this.#judge(one, found[i]));
    if (table === undefined || this.#waiting.length === 0 || this.#left === 0) return looked.length > 0;
    const some = this.#waiting.splice(0, this.#left);
    this.#left -= some.length;
    if (this.#left === 0) this.#o.more();
    const wanted: Wanted[] = [];
    for (const node of some) {
      const cache = this.#cacheOf(node);
      const key = table.size === 0 && cache === undefined ? undefined : this.#keys.of(node);
      const found = key === undefined ? undefined : table.get(key);
      if (found === undefined && key !== undefined && cache !== undefined) wanted.push({ node, key, cache });
      else this.#o.state.judged(node, found);
    }
    if (wanted.length > 0) void this.#look(wanted);
    return true;
  }

  #cacheOf(node: number): CacheDef | undefined {
    const { plan } = this.#o.state;
    const wire = plan.place(node).node;
    return wire.kind === 'electron' ? plan.graph.electrons[wire.electron]?.cache : undefined;
  }

  #judge({ node, key, cache: { ttlMs } }: Wanted, found: CachedValue | undefined): void {
    const { spec, state, clock } = this.#o;
    if (state.status(node) !== 'waiting') return;
    const fresh = found !== undefined && (ttlMs === undefined || clock.now() - found.at < ttlMs) ? found : undefined;
    state.judged(node, fresh);
    if (fresh === undefined) return;
    const from = { dispatch: spec.id, node };
    this.#taken.set(node, { op: 'cached', user: spec.user, key, from, at: fresh.at });
  }

  /** R3: its record was written just now. */
  settled(node: number): void {
    const op = this.#taken.get(node);
    if (op === undefined) return;
    this.#taken.delete(node);
    this.#o.results.write(op);
  }

  /** What can't be looked up runs. */
  async #look(wanted: readonly Wanted[]): Promise<void> {
    const { spec, results, more } = this.#o;
    const asked = results.ask('results.cached', { user: spec.user, keys: wanted.map(({ key }) => key) });
    const found = await asked.then(
      (answer) => answer.found,
      () => [],
    );
    this.#looked.push({ wanted, found });
    more();
  }

  async #load(load: () => Promise<ReuseTable>): Promise<void> {
    try {
      this.#table = await load();
    } catch (error) {
      this.#failure = asPolaronError(error, 'STORE_FAILED');
    }
    this.#o.more();
  }
}
