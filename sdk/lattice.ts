/** `lattice`: makes a function that composes electrons something that can be dispatched, run here, listed or drawn. */
import { drawGraph } from './draw/draw.ts';
import { graphView } from './graph-view.ts';
import { makeLatticeFactory } from './lattice-factory.ts';
import { runLocal } from './local.ts';
import { latticeOf, traceLattice } from './trace.ts';
import type { LatticeFactory } from './types.ts';

/**
 * Makes a function a lattice: `lattice(fn)` or `lattice(options, fn)`.
 * Raises NO_NAME for a function without a name and ASYNC_LATTICE for an async one.
 */
export const lattice: LatticeFactory = makeLatticeFactory({
  graph: (handle, args) => graphView(traceLattice(handle, args).graph),
  local: async (handle, args) => {
    const { name, options } = latticeOf(handle);
    return runLocal(traceLattice(handle, args), { latticeName: name, metadata: options.metadata ?? {} });
  },
  draw: (format, handle, args) =>
    drawGraph(format, traceLattice(handle, args).graph, { title: latticeOf(handle).name }),
});
