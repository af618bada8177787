/** By what it is told that lattices inside dispatches were met in their hard cases (docs/adr/019). Judges nothing. */
import type { Logged } from './history.ts';
import type { FinalRecords } from './record-check.ts';

export const innerNames = [
  'lattice inside: drawn',
  'lattice inside: known before',
  'lattice inside: in a map',
  'lattice inside: in another',
  'lattice inside: failed',
  'lattice inside: cancelled with what is around it',
  'lattice inside: cancelled alone',
] as const;
export type InnerSight = (typeof innerNames)[number];

/** `records`: of all dispatches, by id. */
export function innerSights(
  entries: readonly Logged[],
  records: ReadonlyMap<string, FinalRecords>,
  see: (sight: InnerSight) => void,
): void {
  const cancelled = new Set<string>();
  for (const entry of entries) if (entry.type === 'cancelling') cancelled.add(entry.dispatch);
  for (const [outer, { plan, inside, spec }] of records)
    for (const [node, { id, records: inner }] of inside) {
      const { node: wire, region } = plan.place(node);
      if (wire.kind === 'lattice') see(`lattice inside: ${typeof wire.graph === 'number' ? 'drawn' : 'known before'}`);
      if (region.map >= 0) see('lattice inside: in a map');
      if (spec.outer !== undefined) see('lattice inside: in another');
      if (inner.dispatch.status === 'failed') see('lattice inside: failed');
      if (inner.dispatch.status === 'cancelled')
        see(
          `lattice inside: cancelled ${cancelled.has(id) && !cancelled.has(outer) ? 'alone' : 'with what is around it'}`,
        );
    }
}
