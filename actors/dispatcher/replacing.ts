/**
 * The electrons that a redispatch replaces or moves to other executors, by name: every occurrence in its graph, and in those of the lattices inside,
 * whenever they are drawn.
 * Not here: that arguments fit (the SDK, which knows the functions).
 */
import type { Replacement } from '../../bus/protocol/redispatch.ts';
import { innerIdOf } from '../../bus/inner-id.ts';
import { decodeGraph, encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { PolaronError } from '../../model/errors.ts';
import { withExecutor, withExecutors } from '../../model/executor-choice.ts';
import type { Digest, DispatchId } from '../../model/ids.ts';
import { nearMatches } from '../../model/near.ts';
import { Plan } from '../../model/plan.ts';
import type { DispatchSpec } from '../../model/records.ts';
import { replacedAgain, withReplaced, type ReplacedElectrons } from '../../model/replaced.ts';
import type { ResultsClient } from '../results-client.ts';
import type { Taken } from './redispatch.ts';

type Captures = DispatchSpec['captures'];

export const changesElectrons = ({ replace = [], moved = {} }: Taken): boolean =>
  replace.length > 0 || Object.keys(moved).length > 0;

/** The submit with them in it. Raises UNKNOWN_ELECTRON with near matches, ELECTRON_AMBIGUOUS, GRAPH_INVALID. */
export async function replaceIn(
  results: ResultsClient,
  request: Taken,
  encoded: Uint8Array,
  old: DispatchSpec,
): Promise<Taken> {
  const graph = decodeGraph(encoded);
  const asked: readonly Replacement[] = request.replace ?? [];
  const moved = request.moved ?? {};
  const names = new Set(graph.electrons.map(({ name }) => name));
  const wanted = [...asked.map(({ name }) => name), ...Object.keys(moved)];
  if (wanted.some((name) => !names.has(name))) await addInner(results, names, old.id);
  for (const name of wanted) if (!names.has(name)) throw unknown(name, names);
  const now: ReplacedElectrons = Object.fromEntries(
    asked.map(({ name, def, bundle }) => [name, bundle === undefined ? { def } : { def, bundle }]),
  );
  const captures: Record<string, Captures[string]> = { ...request.captures };
  const codes: Record<string, Digest> = { ...request.codes };
  for (const { def, bundle, code, captures: own } of asked) {
    if (bundle === undefined) continue;
    codes[def.name] = code ?? bundle.digest;
    captures[def.name] = own ?? {};
  }
  const before = Object.entries(request.replaced ?? {}).map(
    ([name, one]) => [name, { ...one, def: withExecutor(one.def, moved) }] as const,
  );
  const replaced = replacedAgain(Object.fromEntries(before), now);
  return {
    ...request,
    graph: { bytes: Uint8Array.from(encodeGraph(withReplaced(withExecutors(graph, moved), now))) },
    replaced,
    captures,
    codes,
  };
}

/** Names of electrons in the lattices inside a dispatch, as far as those have begun. */
async function addInner(results: ResultsClient, names: Set<string>, of: DispatchId): Promise<void> {
  const left = [of];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    const loaded = await results.ask('results.load', { id }).catch(() => undefined); // it hasn't begun
    if (loaded === undefined) continue;
    const plan = new Plan(decodeGraph(loaded.graph));
    for (const { map, items } of loaded.expansions) plan.expand(map, items.length);
    for (const { name } of plan.graph.electrons) names.add(name);
    for (const [node] of loaded.electrons)
      if (plan.place(node).node.kind === 'lattice') left.push(innerIdOf(loaded.spec.id, plan.pathOf(node)));
  }
}

function unknown(name: string, names: Iterable<string>): PolaronError {
  const near = nearMatches(name, names);
  return new PolaronError(
    'UNKNOWN_ELECTRON',
    `the dispatch has no electron "${name}" that could be replaced or moved${near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`}`,
    { details: { near } },
  );
}
