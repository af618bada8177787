/**
 * A new dispatch made from an old one: the same submit once more, out of the old one's records. The old one is only read.
 * Not here: taking it in (intake.ts), which values it takes over (actors/lattice).
 */
import type { RedispatchRequest } from '../../bus/protocol/redispatch.ts';
import type { SubmitRequest } from '../../bus/protocol/api.ts';
import type { ExecutorChoices } from '../../model/executor-choice.ts';
import type { Origin, DispatchSpec } from '../../model/records.ts';
import type { ReplacedElectrons } from '../../model/replaced.ts';

/** A submit, what earlier redispatches replaced, and executors that its graph doesn't have yet. */
export interface Taken extends SubmitRequest {
  readonly replaced?: ReplacedElectrons;
  readonly moved?: ExecutorChoices;
}

export function submitOf(old: DispatchSpec, request: RedispatchRequest): Taken {
  const {
    key,
    reuse,
    priority,
    replace,
    executors: moved,
    graph = old.graph,
    args = old.args,
    bundle = old.bundle,
  } = request;
  const executors = moved === undefined ? old.executors : { ...old.executors, ...moved };
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
    ...(executors === undefined ? {} : { executors }),
    ...(moved === undefined ? {} : { moved }),
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
