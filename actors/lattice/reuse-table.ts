/**
 * What an old dispatch's electrons gave, by key, read from its records once for all who take values over from it.
 * Not here: how a key is made (bus/reuse-key.ts), who takes what (reuse.ts), that those values stay (results/purge.ts).
 */
import { innerIdOf } from '../../bus/inner-id.ts';
import type { LoadedDispatch } from '../../bus/protocol/results.ts';
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import { ReuseKeys, type KnownValues } from '../../bus/reuse-key.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { Digest, DispatchId } from '../../model/ids.ts';
import { hasValue } from '../../model/lifecycle.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { Plan } from '../../model/plan.ts';
import type { ResultsClient } from '../results-client.ts';

export type ReuseTable = ReadonlyMap<Digest, ValueInfo>;

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
    const table = new Map<Digest, ValueInfo>();
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
async function addTo(table: Map<Digest, ValueInfo>, loaded: LoadedDispatch): Promise<readonly DispatchId[]> {
  const known = valuesOf(loaded);
  const keys = new ReuseKeys(loaded.spec, known);
  let inTurn = 0;
  for (const node of known.nodes) {
    const value = known.value(node);
    const key = keys.of(node);
    if (key !== undefined && value !== undefined) table.set(key, value);
    if (++inTurn < MOST_IN_TURN) continue;
    inTurn = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return loaded.electrons.flatMap(([node]) =>
    known.plan.place(node).node.kind === 'lattice' ? [innerIdOf(loaded.spec.id, known.plan.pathOf(node))] : [],
  );
}

/** A dispatch's values as its records tell them. */
export function valuesOf(loaded: LoadedDispatch): KnownValues & { readonly nodes: Iterable<number> } {
  const plan = new Plan(decodeGraph(loaded.graph));
  const items = new Map<number, readonly ValueInfo[]>();
  for (const expansion of loaded.expansions) {
    plan.expand(expansion.map, expansion.items.length);
    items.set(expansion.map, expansion.items);
  }
  const values = new Map<number, ValueInfo>();
  for (const [node, { status, value }] of loaded.electrons)
    if (value !== undefined && hasValue(status)) values.set(node, value);
  return {
    plan,
    nodes: values.keys(),
    value: (node) => values.get(node),
    item: (map, item) => items.get(map)?.[item],
  };
}
