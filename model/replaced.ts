/** Electrons of a graph whose definition and code are others than those that the lattice names. Pure. */
import { PolaronError } from './errors.ts';
import type { ElectronDef, WireGraph } from './graph.ts';
import type { ValueInfo } from './outcome.ts';

export interface Replaced {
  readonly def: ElectronDef;
  /** Where its code is; absent: where it was. */
  readonly bundle?: ValueInfo;
}

/** By the name that the lattice calls it. */
export type ReplacedElectrons = Readonly<Record<string, Replaced>>;

/** The graph with them in it. Raises ELECTRON_AMBIGUOUS: code is found by name. */
export function withReplaced(graph: WireGraph, replaced: ReplacedElectrons): WireGraph {
  const of = ({ name }: ElectronDef): Replaced | undefined =>
    Object.hasOwn(replaced, name) ? replaced[name] : undefined;
  const taken = new Map<string, string>();
  for (const def of graph.electrons) {
    const name = of(def)?.def.name ?? def.name;
    const other = taken.get(name) ?? def.name;
    taken.set(name, def.name);
    if (other !== def.name)
      throw new PolaronError(
        'ELECTRON_AMBIGUOUS',
        `electron "${other}" and electron "${def.name}" would both be "${name}": give the new one another name, electron({ name: '…' }, …)`,
      );
  }
  return { ...graph, electrons: graph.electrons.map((def) => of(def)?.def ?? def) };
}

/** What was replaced before, and now: an electron that stands for another may be replaced itself. */
export function replacedAgain(before: ReplacedElectrons, now: ReplacedElectrons): ReplacedElectrons {
  const all: Record<string, Replaced> = { ...before };
  for (const [name, { def, bundle }] of Object.entries(before)) {
    const later = Object.hasOwn(now, def.name) ? now[def.name] : undefined;
    if (later !== undefined)
      all[name] = later.bundle === undefined && bundle !== undefined ? { ...later, bundle } : later;
  }
  return { ...all, ...now };
}
