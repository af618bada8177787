/** Draws a lattice on an agent. Its value is the list that trace-drawn.ts describes, made by the runner, which encodes each element for itself. */
import { decodeValue } from '../bus/value/value.ts';
import { graphBytes } from './trace-drawn.ts';
import { traceInner } from './trace.ts';

/** Raises the tracing errors, and what the lattice's function throws. */
export function drawnHere(lattice: unknown, args: readonly unknown[]): readonly unknown[] {
  const { graph, values } = traceInner(lattice, args);
  return [graphBytes(graph), args, ...[...values.values()].map((bytes) => decodeValue(bytes))];
}
