/** Draws a lattice on an agent. Its value is the list that trace-drawn.ts describes, of which the runner encodes nothing again: values are named by their bytes. */
import { encodedAlready } from '../bus/value/split.ts';
import { drawnParts, type InnerTrace } from './trace-drawn.ts';
import { traceInner } from './trace.ts';

/** Raises the tracing errors, and what the lattice's function throws. */
export const drawnHere = (lattice: unknown, args: readonly unknown[]): readonly unknown[] =>
  drawnOf(traceInner(lattice, args), args);

/** The same of a trace. */
export const drawnOf = (trace: InnerTrace, args: readonly unknown[]): readonly unknown[] =>
  encodedAlready(drawnParts(trace, args));
