/**
 * Stands before a stored bundle whose lattice is to be drawn on an agent: tells it of each lattice as it is defined, as an electron that draws it.
 * Not here: the drawing (trace-inner.ts), bundles that were made to draw (agent-shim-drawing.ts), putting it there (ship/drawing-part.ts).
 */
import { registry, type LatticeEntry } from '../bus/protocol/registry.ts';
import { DRAWING } from '../model/graph.ts';
import { drawnHere } from './trace-inner.ts';

const { electrons, lattices } = registry();

Object.defineProperty(lattices, 'push', {
  value: (...defined: readonly LatticeEntry[]): number => {
    for (const { name, lattice, file, at } of defined) {
      const fn = (...args: readonly unknown[]): readonly unknown[] => drawnHere(lattice, args);
      electrons.push({ name: `${DRAWING}${name}`, fn, at, file });
    }
    return Array.prototype.push.apply(lattices, [...defined]);
  },
});
