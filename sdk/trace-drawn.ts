/**
 * What a lattice inside another drew, as the list that the hub cuts: the graph's bytes, the arguments, the values that the graph names.
 * Not here: tracing it (trace.ts).
 */
import type { ElectronEntry } from '../bus/protocol/registry.ts';
import { encodeGraph } from '../bus/protocol/wire-graph.ts';
import { encodeList } from '../bus/value/list.ts';
import { encodeValue } from '../bus/value/value.ts';
import type { WireGraph } from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';

export interface InnerTrace {
  readonly graph: WireGraph;
  readonly electronsUsed: readonly ElectronEntry[];
  readonly values: ReadonlyMap<Digest, Uint8Array>;
}

/** Traces a lattice that is called inside another. */
export type TraceInner = (lattice: unknown, args: readonly unknown[]) => InnerTrace;

/** Raises NOT_SERIALISABLE for arguments. */
export const drawnBytes = ({ graph, values }: InnerTrace, args: readonly unknown[], name: string): Uint8Array =>
  encodeList([
    encodeValue(graphBytes(graph), 'graph'),
    encodeValue(args, `arguments of lattice "${name}"`),
    ...values.values(),
  ]);

/** Plain bytes, whatever the encoder wrote into: the hub reads them without decoding a value. */
export const graphBytes = (graph: WireGraph): Uint8Array => new Uint8Array(encodeGraph(graph));
