/**
 * What a lattice inside another drew, as the first part of its list: the graph's bytes, and what the lattice's options ask of the hub. The arguments and the
 * values that the graph names stand behind it. Shapes only; wire-drawing.ts checks them.
 */
import type { LatticeSettings } from '../../model/records.ts';

/** What a lattice's options ask of the hub. Absent: as the dispatch around it, or the default. */
export type OwnSettings = Pick<LatticeSettings, 'metadata' | 'timeoutMs'> &
  Partial<Pick<LatticeSettings, 'durability' | 'failFast'>>;

export interface DrawingHead extends OwnSettings {
  readonly graph: Uint8Array;
  readonly source: string;
}
