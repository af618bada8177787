/**
 * What an old dispatch's electrons gave, by key, read from its records once for all who take values over from it.
 * Not here: how a key is made (bus/reuse-key.ts), who takes what (reuse.ts), that those values stay (results/purge.ts).
 */
import { innerIdOf } from '../../bus/inner-id.ts';
import type { LoadedDispatch } from '../../bus/protocol/results.ts';
import { ReuseKeys } from '../../bus/reuse-key.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { Digest, DispatchId } from '../../model/ids.ts';
import type { ValueInfo, ValueOrigin } from '../../model/outcome.ts';
import { valuesOf } from '../recorded-values.ts';
import type { ResultsClient } from '../results-client.ts';

/** A value that may be taken over. */
export interface Reusable {
  readonly value: ValueInfo;
  readonly from: ValueOrigin;
}

export type ReuseTable = ReadonlyMap<Digest, Reusable>;

/** Electrons read before others have their turn: some ms. */
const MOST_IN_TURN = 1_000;

export class ReuseTables {
  readonly #results: ResultsClient;
  /** Held by those who use them. */
  readonly #tables = new Map<string, WeakRef<Promise<ReuseTable>>>();

  constructor(results: ResultsClient) {
    this.#results = results;
  }

  /** Of `old` as it is when the first of `user`'s supervisors asks. Empty when the old dispatch is gone: nothing is taken over then. Raises DATA_DAMAGED. */
  of(old: DispatchId, user: DispatchId): Promise<ReuseTable> {
    for (const [name, ref] of this.#tables) if (ref.deref() === undefined) this.#tables.delete(name);
    const name = `${old} ${user}`;
    const known = this.#tables.get(name)?.deref();
    if (known !== undefined) return known;
    const made = this.#load(old);
    this.#tables.set(name, new WeakRef(made));
    return made;
  }

  async #load(old: DispatchId): Promise<ReuseTable> {
    const table = new Map<Digest, Reusable>();
    const left = [old];
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      try {
        left.push(...(await addTo(table, await this.#results.ask('results.load', { id }))));
      } catch (error) {
        if (asPolaronError(error, 'STORE_FAILED').code !== 'UNKNOWN_DISPATCH') throw error;
      }
    }
    return table;
  }
}

/** Resolves with the dispatches of the lattices inside. */
async function addTo(table: Map<Digest, Reusable>, loaded: LoadedDispatch): Promise<readonly DispatchId[]> {
  const known = valuesOf(loaded);
  const keys = new ReuseKeys(loaded.spec, known);
  const dispatch = loaded.spec.id;
  let inTurn = 0;
  for (const node of known.nodes) {
    const value = known.value(node);
    const key = keys.of(node);
    if (key !== undefined && value !== undefined) table.set(key, { value, from: { dispatch, node } });
    if (++inTurn < MOST_IN_TURN) continue;
    inTurn = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return loaded.electrons.flatMap(([node]) =>
    known.plan.place(node).node.kind === 'lattice' ? [innerIdOf(dispatch, known.plan.pathOf(node))] : [],
  );
}
