/**
 * Which nodes of a dispatch need not run, since another dispatch has their value: judged when their inputs are known, before an agent is asked.
 * Not here: what a key is (bus/reuse-key.ts), what the other dispatch has (reuse-table.ts), what follows (state.ts).
 *
 * R1. A node waits until it is judged. What was taken over is in its record; what wasn't is judged again after a restart.
 * R2. So many in a turn: a long chain of values that are all there is no deep call and no long turn.
 */
import { ReuseKeys } from '../../bus/reuse-key.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { DispatchSpec } from '../../model/records.ts';
import type { ReuseTable, ReuseTables } from './reuse-table.ts';
import type { LatticeState } from './state.ts';

export interface ReuseOptions {
  readonly spec: DispatchSpec;
  readonly state: LatticeState;
  /** Reads what the other dispatch has. */
  readonly load: () => Promise<ReuseTable>;
  /** There is more to judge, in the supervisor's next turn. */
  readonly more: () => void;
}

/** Undefined: this dispatch takes nothing over. */
export function reuseFor(
  spec: DispatchSpec,
  state: LatticeState,
  tables: ReuseTables,
  more: () => void,
): Reuse | undefined {
  const { id, origin } = spec;
  if (origin?.reuse !== true) return undefined;
  return new Reuse({ spec, state, load: () => tables.of(origin.of, origin.by ?? id), more });
}

/** Some ms. */
const MOST_IN_TURN = 1_000;

export class Reuse {
  readonly #o: ReuseOptions;
  readonly #keys: ReuseKeys;
  #waiting: number[] = [];
  #loads = false;
  #failure: Error | undefined;
  #table: ReuseTable | undefined;
  #left = MOST_IN_TURN;

  constructor(options: ReuseOptions) {
    this.#o = options;
    this.#keys = new ReuseKeys(options.spec, options.state);
  }

  /** Its inputs are known. */
  add(node: number): void {
    this.#waiting.push(node);
    if (this.#loads) return;
    this.#loads = true;
    void this.#load();
  }

  /** The turn after `more`. */
  turn(): void {
    this.#left = MOST_IN_TURN;
  }

  /** Judges what waits, as far as this turn goes. True: the state has decided something. Raises why the other dispatch can't be read. */
  go(): boolean {
    const { state, more } = this.#o;
    if (this.#failure !== undefined) throw this.#failure;
    const table = this.#table;
    if (table === undefined || this.#waiting.length === 0 || this.#left === 0) return false;
    const some = this.#waiting.splice(0, this.#left);
    this.#left -= some.length;
    if (this.#left === 0) more();
    for (const node of some) {
      const key = table.size === 0 ? undefined : this.#keys.of(node);
      state.judged(node, key === undefined ? undefined : table.get(key));
    }
    return true;
  }

  async #load(): Promise<void> {
    try {
      this.#table = await this.#o.load();
    } catch (error) {
      this.#failure = asPolaronError(error, 'STORE_FAILED');
    }
    this.#o.more();
  }
}
