/**
 * Accepts dispatches: checks the graph and what it refers to, decides about idempotency, and makes the spec.
 * Not here: running it (lattice supervisor) and answering (dispatcher.ts).
 */
import type { SubmitRequest } from '../../bus/protocol/api.ts';
import { checkSubmit } from '../../bus/protocol/submit-limits.ts';
import type { DispatchSpec } from '../../bus/protocol/results.ts';
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../bus/value/digest.ts';
import { PolaronError } from '../../model/errors.ts';
import { checkGraph, DEFAULT_GRAPH_LIMITS } from '../../model/graph-check.ts';
import { IDENTITY_ELECTRON, type WireGraph } from '../../model/graph.ts';
import { literalsOf } from '../../model/graph-values.ts';
import { bundlesOf } from '../../model/records.ts';
import { isDispatchId, makeDispatchId, type Digest, type DispatchId } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import type { BytesOrValue } from '../../bus/protocol/api.ts';
import type { ResultsClient } from '../results-client.ts';
import { originFrom, type Taken } from './redispatch.ts';
import { changesElectrons, replaceIn } from './replacing.ts';

export interface IntakeOptions {
  readonly results: ResultsClient;
  readonly node: string;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

export type Intake =
  | { readonly existing: DispatchId }
  | {
      readonly spec: DispatchSpec;
      readonly graph: WireGraph;
      readonly contentDigest: Digest;
      readonly request: SubmitRequest;
    };

/** Two million nodes with all that they name take less. */
const MOST_GRAPH_BYTES = 512 * 1024 * 1024;

const infoOf = (x: BytesOrValue): ValueInfo => ('bytes' in x ? valueInfoOf(x.bytes) : x.value);

/** Its size is looked at before its bytes: an upload may be far larger than any graph. Raises VALUE_MISSING, GRAPH_INVALID. */
async function storedGraph({ results }: IntakeOptions, user: string, digest: Digest): Promise<Uint8Array> {
  const { sizes } = await results.ask('results.admit', { user, key: '', digests: [digest] });
  const size = sizes[0] ?? 0;
  if (size > MOST_GRAPH_BYTES)
    throw new PolaronError('GRAPH_INVALID', `graph: ${size} bytes; at most ${MOST_GRAPH_BYTES} are taken`);
  return (await results.ask('results.bytes', { digest })).bytes;
}

/** A copy of what came in the message: nodes hold views of it for as long as the dispatch lives, and a view holds all that was received with it. */
const graphOf = async (o: IntakeOptions, user: string, { graph }: SubmitRequest): Promise<Uint8Array> =>
  'bytes' in graph ? Uint8Array.from(graph.bytes) : storedGraph(o, user, graph.value.digest);

/** Raises UNKNOWN_DISPATCH, NOT_ALLOWED. */
async function oldOf(
  { results }: IntakeOptions,
  user: string,
  { origin }: SubmitRequest,
): Promise<DispatchSpec | undefined> {
  if (origin === undefined) return undefined;
  if (!isDispatchId(origin.of)) throw unknownDispatch(origin.of);
  return (await results.ask('results.spec', { id: origin.of, user })).spec;
}

const unknownDispatch = (id: string): PolaronError =>
  new PolaronError('UNKNOWN_DISPATCH', `${JSON.stringify(id.slice(0, 80))} is not a dispatch id`);

/** Raises PAYLOAD_TOO_LARGE, GRAPH_INVALID, VALUE_MISSING, IDEMPOTENCY_MISMATCH, DISK_FULL. Nothing is recorded. */
export async function takeIn(o: IntakeOptions, user: string, asked: Taken): Promise<Intake> {
  const { results } = o;
  const old = await oldOf(o, user, asked);
  const origin = old === undefined || asked.origin === undefined ? undefined : originFrom(old, asked.origin.reuse);
  const request =
    old !== undefined && changesElectrons(asked)
      ? await replaceIn(results, asked, await graphOf(o, user, asked), old)
      : asked;
  checkSubmit(request);
  const graph = await graphOf(o, user, request);
  const decoded = decodeGraph(graph);
  checkGraph(decoded, DEFAULT_GRAPH_LIMITS);
  const needsCode = decoded.electrons.some((electron) => electron.name !== IDENTITY_ELECTRON);
  if (needsCode && request.bundle === undefined)
    throw new PolaronError('GRAPH_INVALID', 'the graph has electrons but the request names no bundle');
  const literals = [...literalsOf(decoded)];
  const needed = [
    ...literals,
    ...bundlesOf(request).map(({ digest }) => digest),
    ...('value' in request.args ? [request.args.value.digest] : []),
  ];
  const admitted = await results.ask('results.admit', { user, key: request.key, digests: needed });
  const [graphInfo, argsInfo] = [infoOf(request.graph), infoOf(request.args)];
  const contentDigest = digestOf(
    Buffer.from(
      [
        graphInfo.digest,
        argsInfo.digest,
        request.bundle?.digest ?? '',
        request.lattice.name,
        request.durability,
        request.failFast,
        request.timeoutMs,
        JSON.stringify(request.argv),
        ...(origin === undefined ? [] : [origin.of, origin.reuse, JSON.stringify(request.replaced ?? {})]),
        ...(request.executors === undefined ? [] : [JSON.stringify(request.executors)]),
      ].join('\n'),
    ),
  );
  if (admitted.existing !== undefined) {
    if (admitted.existing.contentDigest === contentDigest) return { existing: admitted.existing.id };
    throw new PolaronError(
      'IDEMPOTENCY_MISMATCH',
      `idempotency key ${JSON.stringify(request.key)} was used for dispatch ${admitted.existing.id} with other content`,
    );
  }
  const missing = needed.filter((_, i) => admitted.sizes[i] === undefined);
  if (missing.length > 0)
    throw new PolaronError(
      'VALUE_MISSING',
      `values that the dispatch refers to are not here: ${missing.slice(0, 3).join(', ')}`,
      { details: { missing: missing.slice(0, 100) } },
    );
  if (admitted.full)
    throw new PolaronError('DISK_FULL', 'the data folder has less than 256 MiB free: no new dispatch is accepted');
  const now = o.now();
  const spec: DispatchSpec = {
    id: makeDispatchId(now, o.randomBytes(10), o.node),
    user,
    key: request.key,
    lattice: request.lattice,
    graph: graphInfo,
    args: argsInfo,
    ...(request.bundle === undefined ? {} : { bundle: request.bundle }),
    argv: request.argv,
    captures: request.captures,
    ...(request.codes === undefined ? {} : { codes: request.codes }),
    ...(origin === undefined ? {} : { origin }),
    ...(decoded.electrons.some(({ cache }) => cache !== undefined) ? { caches: true } : {}),
    ...(request.replaced === undefined ? {} : { replaced: request.replaced }),
    ...(request.executors === undefined ? {} : { executors: request.executors }),
    metadata: request.metadata,
    durability: request.durability,
    failFast: request.failFast,
    priority: request.priority,
    timeoutMs: request.timeoutMs,
    nodes: decoded.nodes.length,
    literals: literals.map((digest, i) => ({ digest, size: admitted.sizes[i] ?? 0 })),
    acceptedAt: now,
  };
  return { spec, graph: decoded, contentDigest, request };
}
