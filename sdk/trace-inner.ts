/** Draws a lattice on an agent. Its value is the list that trace-drawn.ts describes, made by the runner, which encodes each element for itself. */
import { decodeValue } from '../bus/value/value.ts';
import { graphBytes, type InnerTrace } from './trace-drawn.ts';
import { traceInner } from './trace.ts';

/** Raises the tracing errors, and what the lattice's function throws. */
export const drawnHere = (lattice: unknown, args: readonly unknown[]): readonly unknown[] =>
  drawnOf(traceInner(lattice, args), args);

/** The same of a trace. */
export const drawnOf = ({ graph, values }: InnerTrace, args: readonly unknown[]): readonly unknown[] => [
  graphBytes(graph),
  args,
  ...[...values.values()].map((bytes) => decodeValue(bytes)),
];
