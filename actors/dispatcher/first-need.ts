/** What a dispatch asks for first. Pure. Not here: whether it may wait for that without a supervisor (beginnings.ts). */
import type { Requirement } from '../../bus/protocol/actors.ts';
import { inputsOf, type WireGraph, type WireNode } from '../../model/graph.ts';
import { isTimed } from '../../model/timeouts.ts';
import { needOf, requirementOf } from '../requirement.ts';

export interface FirstNeed {
  readonly requirement: Requirement;
  /** Electrons that are ready at once. */
  readonly electrons: number;
}

const waitsForNone = (node: WireNode): boolean =>
  node.after.length === 0 && inputsOf(node).every((input) => typeof input === 'object' && 'value' in input);

/**
 * Of a graph that can do nothing before some agent takes one of its electrons, all of one requirement. Undefined for any other: one with a map or a lattice
 * that may begin at once, with electrons that ask for different agents or may want none, or with times that run while it waits.
 */
export function firstNeedOf({ electrons: defs, nodes }: WireGraph, user: string): FirstNeed | undefined {
  if (defs.some(({ timeouts, cache }) => cache !== undefined || isTimed(timeouts))) return undefined;
  let requirement: Requirement | undefined;
  let electrons = 0;
  for (const node of nodes) {
    if (!waitsForNone(node)) continue;
    if (node.kind !== 'electron') return undefined;
    const def = defs[node.electron];
    if (def === undefined) return undefined;
    const wanted = requirementOf(def, user);
    if (requirement !== undefined && needOf(requirement) !== needOf(wanted)) return undefined;
    requirement = wanted;
    electrons++;
  }
  return requirement === undefined ? undefined : { requirement, electrons };
}
