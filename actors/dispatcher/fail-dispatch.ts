/**
 * The end of a dispatch that can't go on, from its records: electrons that have one and had not ended are cancelled with it, and their agents are told to
 * stop; those without one stay as they are. Not here: deciding that it can't go on (dispatcher.ts).
 */
import type { LatticeMessage } from '../../bus/protocol/actors.ts';
import type { Clock } from '../../model/clock.ts';
import { taskIdOf, type DispatchId } from '../../model/ids.ts';
import { isTerminalElectron } from '../../model/lifecycle.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { DispatchSpec } from '../../model/records.ts';
import type { ResultsClient } from '../results-client.ts';
import type { PublishEvent } from '../services.ts';
import type { ActorSystem, Address } from '../system.ts';
import { innerOf } from './inner-of.ts';

export interface FailServices {
  readonly system: ActorSystem;
  readonly results: ResultsClient;
  readonly publish: PublishEvent;
  readonly clock: Clock;
}

/** The dispatches of lattices inside it, which nobody wants any more. `fresh`: it has not begun, and there is nothing else to read of it. */
export async function failDispatch(
  { results, publish, system, clock }: FailServices,
  self: Address,
  id: DispatchId,
  error: ErrorInfo,
  fresh?: DispatchSpec,
): Promise<readonly DispatchId[]> {
  const matchmaker = system.address('matchmaker', 'main');
  system.send(matchmaker, { type: 'lattice.gone', dispatch: id }, self);
  // unreadable records are no reason to go on
  const loaded = fresh === undefined ? await results.ask('results.load', { id }).catch(() => undefined) : undefined;
  const spec = fresh ?? loaded?.spec;
  const outer = spec?.outer;
  if (outer !== undefined) {
    const left: LatticeMessage = { type: 'lattice.left', node: outer.node, status: 'failed', error };
    system.send(system.address('lattice', outer.dispatch), left, self);
  }
  const endedAt = clock.now();
  const electrons = loaded?.electrons ?? [];
  let last = electrons.reduce((most, [, record]) => Math.max(most, record.seq), loaded?.record.seq ?? 0);
  for (const [node, record] of electrons) {
    const { status: was, agent, token } = record;
    if (isTerminalElectron(was)) continue;
    results.write({ op: 'electron', id, node, was, record: { ...record, status: 'cancelled', endedAt, seq: ++last } });
    if (agent === undefined || token === undefined) continue;
    const stop = { type: 'attempt.cancel', agent, task: taskIdOf(id, node), token, reason: error.message } as const;
    system.send(matchmaker, stop, self);
  }
  const seq = Number.MAX_SAFE_INTEGER;
  const errors = [{ node: '', error }];
  results.write({ op: 'dispatch', id, record: { status: 'failed', seq, endedAt, errors } });
  results.afterFlush(() => {
    if (spec !== undefined) publish({ user: spec.user, dispatch: id, type: 'dispatch.failed', seq, transient: false });
  });
  return loaded === undefined ? [] : innerOf(loaded);
}
