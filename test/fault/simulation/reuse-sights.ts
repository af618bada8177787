/** By what it is told that redispatches were met in their hard cases (docs/adr/020). Judges nothing. */
import type { Logged } from './history.ts';
import { isEnd } from './inner-check.ts';
import type { FinalRecords } from './record-check.ts';

export const reuseNames = [
  'redispatch: all again',
  'redispatch: value taken over',
  'redispatch: value taken over in a lattice inside',
  'redispatch: run, though others are taken over',
  'redispatch: electron replaced',
  'redispatch: drawn with other arguments',
  'redispatch: of one that had not ended',
  'redispatch: of a redispatch',
] as const;
export type ReuseSight = (typeof reuseNames)[number];

/** `records`: of all dispatches, by id. */
export function reuseSights(
  entries: readonly Logged[],
  records: ReadonlyMap<string, FinalRecords>,
  see: (sight: ReuseSight) => void,
): void {
  const ended = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'told' && isEnd(entry.event)) ended.add(entry.dispatch);
    const of = entry.type === 'submitted' ? records.get(entry.dispatch)?.spec.origin?.of : undefined;
    if (of !== undefined && !ended.has(of)) see('redispatch: of one that had not ended');
  }
  for (const { spec, electrons, called } of records.values()) {
    if (spec.origin === undefined) continue;
    const inside = spec.outer !== undefined;
    if (!spec.origin.reuse) see('redispatch: all again');
    if (!inside && records.get(spec.origin.of)?.spec.origin !== undefined) see('redispatch: of a redispatch');
    if (!inside && records.get(spec.origin.of)?.spec.graph.digest !== spec.graph.digest && spec.replaced === undefined)
      see('redispatch: drawn with other arguments');
    if (Object.keys(spec.replaced ?? {}).some((name) => called(name) !== name)) see('redispatch: electron replaced');
    const taken = electrons.filter((record) => record?.status === 'reused').length;
    for (let i = 0; i < taken; i++) see(`redispatch: value taken over${inside ? ' in a lattice inside' : ''}`);
    const ran = electrons.some((record) => record?.status === 'completed' && record.token !== undefined);
    if (taken > 0 && ran) see('redispatch: run, though others are taken over');
  }
}
