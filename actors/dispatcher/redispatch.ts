/**
 * A new dispatch made from an old one: the same submit once more, out of the old one's records. The old one is only read.
 * Not here: taking it in (intake.ts), which values it takes over (actors/lattice).
 */
import type { RedispatchRequest } from '../../bus/protocol/redispatch.ts';
import type { SubmitRequest } from '../../bus/protocol/api.ts';
import type { Origin, DispatchSpec } from '../../model/records.ts';
import type { ReplacedElectrons } from '../../model/replaced.ts';

/** A submit, and what earlier redispatches replaced. */
export interface Taken extends SubmitRequest {
  readonly replaced?: ReplacedElectrons;
}

export function submitOf(old: DispatchSpec, request: RedispatchRequest): Taken {
  const { key, reuse, priority, replace, graph = old.graph, args = old.args, bundle = old.bundle } = request;
  return {
    key,
    lattice: old.lattice,
    graph: { value: graph },
    args: { value: args },
    ...(bundle === undefined ? {} : { bundle }),
    argv: old.argv,
    captures: old.captures,
    ...(old.codes === undefined ? {} : { codes: old.codes }),
    origin: { of: old.id, reuse },
    ...(replace === undefined ? {} : { replace }),
    ...(old.replaced === undefined ? {} : { replaced: old.replaced }),
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
