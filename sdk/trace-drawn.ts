/**
 * What a lattice inside another drew, as the list that the hub cuts: its head (bus/protocol/drawing.ts), the arguments, the values that the graph names.
 * Not here: tracing it (trace.ts).
 */
import { encodeBody } from '../bus/codec.ts';
import type { DrawingHead } from '../bus/protocol/drawing.ts';
import type { ElectronEntry } from '../bus/protocol/registry.ts';
import { encodeGraph } from '../bus/protocol/wire-graph.ts';
import { encodeValue } from '../bus/value/value.ts';
import type { WireGraph } from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';
import type { LatticeInfo } from './builder.ts';
import { settingsOf, sourceOf } from './lattice-settings.ts';

export interface InnerTrace {
  readonly lattice: LatticeInfo;
  readonly graph: WireGraph;
  readonly electronsUsed: readonly ElectronEntry[];
  readonly values: ReadonlyMap<Digest, Uint8Array>;
}

/** Traces a lattice that is called inside another. */
export type TraceInner = (lattice: unknown, args: readonly unknown[]) => InnerTrace;

/** The parts of the list, encoded. Raises NOT_SERIALISABLE for arguments, USAGE for options. */
export function drawnParts({ lattice, graph, values }: InnerTrace, args: readonly unknown[]): readonly Uint8Array[] {
  const head: DrawingHead = { graph: encodeGraph(graph), source: sourceOf(lattice), ...settingsOf(lattice) };
  return [
    // plain bytes, whatever the encoder wrote into: the hub reads them without decoding a value
    encodeValue(new Uint8Array(encodeBody(head)), 'graph'),
    encodeValue(args, `arguments of lattice "${lattice.name}"`),
    ...values.values(),
  ];
}
