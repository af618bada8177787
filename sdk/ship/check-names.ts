/** Agents find electrons by name alone: no two may have one name. */
import { PolaronError } from '../../model/errors.ts';
import { latticeBehind } from '../../model/graph.ts';
import type { ShippedElectron } from './shipped.ts';

const twoOf = (name: string): string => {
  const lattice = latticeBehind(name);
  return lattice === undefined ? `electrons are called '${name}'` : `lattices are called '${lattice}'`;
};

/** Raises ELECTRON_AMBIGUOUS. */
export function checkNames(electrons: readonly ShippedElectron[]): void {
  const byName = new Map<string, ShippedElectron>();
  for (const electron of electrons) {
    const other = byName.get(electron.name);
    if (other !== undefined && other.fn !== electron.fn) {
      throw new PolaronError(
        'ELECTRON_AMBIGUOUS',
        `two different ${twoOf(electron.name)} (${other.at}, ${electron.at}): give one of them { name: '...' }`,
        { details: { electron: electron.name, at: [other.at, electron.at] } },
      );
    }
    byName.set(electron.name, electron);
  }
}
