/**
 * The agents' shim in bundles whose lattices draw there: each lattice is an electron, too, that draws it with the arguments it gets.
 * Not here: the drawing itself (trace-inner.ts).
 */
import { registry } from '../bus/protocol/registry.ts';
import { DRAWING } from '../model/graph.ts';
import { makeLatticeFactory } from './lattice-factory.ts';
import { latticeTools } from './agent-shim.ts';
import { drawnHere } from './trace-inner.ts';
import type { LatticeFactory } from './types.ts';

export * from './agent-shim.ts';

export const lattice: LatticeFactory = makeLatticeFactory({
  ...latticeTools,
  defined: ({ name, lattice: handle, file, at }) => {
    const fn = (...args: readonly unknown[]): readonly unknown[] => drawnHere(handle, args);
    const { electrons } = registry();
    // What stands before a bundle may have told of it already (agent-drawing.ts).
    if (electrons.some((one) => one.name === `${DRAWING}${name}` && one.at === at)) return;
    electrons.push({ name: `${DRAWING}${name}`, fn, at, file });
  },
});
