/**
 * Reads what a lattice inside a dispatch drew: its graph, checked as a user's is, and its options beside those of the dispatch around it.
 * Not here: the dispatch that it becomes (inner.ts).
 */
import type { Drawn } from '../../bus/protocol/actors.ts';
import type { DrawingHead, OwnSettings } from '../../bus/protocol/drawing.ts';
import { checkSubmit } from '../../bus/protocol/submit-limits.ts';
import { decodeDrawing } from '../../bus/protocol/wire-drawing.ts';
import { decodeGraph, encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { bytesIn } from '../../bus/value/bare-value.ts';
import { PolaronError } from '../../model/errors.ts';
import { withExecutors } from '../../model/executor-choice.ts';
import { checkGraph, DEFAULT_GRAPH_LIMITS } from '../../model/graph-check.ts';
import { MOST_LEVELS } from '../../model/graph.ts';
import { literalsOf } from '../../model/graph-values.ts';
import type { Digest } from '../../model/ids.ts';
import type { DispatchSpec, LatticeSettings } from '../../model/records.ts';
import { withReplaced } from '../../model/replaced.ts';
import type { ResultsClient } from '../results-client.ts';

/** `spec`: of the dispatch around it. Raises GRAPH_INVALID, SUBLATTICE_DEPTH, ELECTRON_AMBIGUOUS, PAYLOAD_TOO_LARGE, BAD_MESSAGE, VALUE_MISSING. */
export async function readDrawn(
  results: ResultsClient,
  spec: DispatchSpec,
  name: string,
  digest: Digest,
): Promise<Drawn> {
  if (levelOf(spec) + 1 > MOST_LEVELS)
    throw new PolaronError(
      'SUBLATTICE_DEPTH',
      `lattice "${name}" is called ${MOST_LEVELS} lattices deep: does it call itself without an end?`,
    );
  const { items } = await results.ask('results.slice', { digest });
  const [first, args, ...given] = items;
  if (first === undefined || args === undefined) throw invalid(name, 'what it drew is not complete');
  const head = await headOf(results, name, first.digest);
  const settings = settingsIn(spec, head);
  checkSubmit({ argv: [], captures: {}, metadata: settings.metadata });
  // a copy: the graph's nodes hold views of it for as long as the dispatch lives
  const bytes = Uint8Array.from(head.graph);
  const drawn = decodeGraph(bytes);
  const moved = withExecutors(drawn, spec.executors ?? {});
  const graph = spec.replaced === undefined ? moved : withReplaced(moved, spec.replaced);
  checkGraph(graph, DEFAULT_GRAPH_LIMITS);
  const [output] = graph.output.inputs;
  if (output === undefined || (typeof output !== 'number' && !('value' in output)))
    throw invalid(name, 'its result is no value of one of its electrons');
  const known = new Map(given.map((value) => [value.digest, value]));
  const literals = [...literalsOf(graph)].map((wanted) => {
    const found = known.get(wanted);
    if (found === undefined) throw invalid(name, `it names the value ${wanted}, which did not come with it`);
    return found;
  });
  const { value: stored } = await results.ask('results.store', {
    bytes: graph === drawn ? bytes : encodeGraph(graph),
  });
  return { source: head.source, settings, graph, stored, args, literals };
}

async function headOf(results: ResultsClient, name: string, digest: Digest): Promise<DrawingHead> {
  const bytes = bytesIn((await results.ask('results.bytes', { digest })).bytes);
  if (bytes === undefined) throw invalid(name, 'what it drew is no graph');
  return decodeDrawing(bytes);
}

/** Its own options, then those of the dispatch around it; what that one writes to disk first, this one does, too. The time around it goes on around it. */
export const settingsIn = (outer: LatticeSettings, own: OwnSettings): LatticeSettings => ({
  metadata: { ...outer.metadata, ...own.metadata },
  durability: outer.durability === 'strict' ? 'strict' : (own.durability ?? outer.durability),
  failFast: own.failFast ?? outer.failFast,
  timeoutMs: own.timeoutMs,
});

/** How many lattices are around it. */
export const levelOf = (spec: DispatchSpec): number => spec.outer?.level ?? 0;

const invalid = (name: string, reason: string): PolaronError =>
  new PolaronError('GRAPH_INVALID', `lattice "${name}": ${reason}`);
