/**
 * A new dispatch made from an old one: the same submit once more, out of the old one's records. The old one is only read.
 * Not here: taking it in (intake.ts), which values it takes over (actors/lattice).
 */
import type { RedispatchRequest, SubmitRequest } from '../../bus/protocol/api.ts';
import type { Origin, DispatchSpec } from '../../model/records.ts';

export function submitOf(old: DispatchSpec, { key, reuse, priority }: RedispatchRequest): SubmitRequest {
  return {
    key,
    lattice: old.lattice,
    graph: { value: old.graph },
    args: { value: old.args },
    ...(old.bundle === undefined ? {} : { bundle: old.bundle }),
    argv: old.argv,
    captures: old.captures,
    ...(old.codes === undefined ? {} : { codes: old.codes }),
    origin: { of: old.id, reuse },
    metadata: old.metadata,
    durability: old.durability,
    failFast: old.failFast,
    priority: priority ?? old.priority,
    timeoutMs: old.timeoutMs,
  };
}

export const originFrom = (old: DispatchSpec, reuse: boolean): Origin => ({
  of: old.id,
  root: old.origin?.root ?? old.id,
  reuse,
});
