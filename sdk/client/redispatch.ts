/**
 * `redispatch`: a new dispatch made from an old one. Without a lattice the hub makes it from what it has stored; with one it is traced here, like any other.
 * Not here: which values are taken over (the hub decides).
 */
import { PolaronError } from '../../model/errors.ts';
import type { RedispatchOptions } from '../types.ts';
import { type DispatchEnvironment, freshKey, startDispatch } from './dispatch.ts';
import type { Hub } from './hub.ts';
import { decodeReply } from './outputs.ts';

export type AnyRedispatchOptions = Omit<RedispatchOptions<never, never>, 'lattice'> & { readonly lattice?: unknown };

/** Resolves with the new dispatch's id. Raises UNKNOWN_DISPATCH, and with a lattice what `dispatch` raises. */
export async function startRedispatch(
  hub: Hub,
  environment: DispatchEnvironment,
  id: string,
  options: AnyRedispatchOptions,
  args: readonly unknown[],
): Promise<string> {
  const { lattice, reusePreviousResults: reuse = false, replaceElectrons, ...rest } = options;
  if (lattice !== undefined) {
    const given = args.length > 0 ? args : await argumentsOf(hub, id);
    return (await startDispatch(hub, environment, lattice, rest, given, { of: id, reuse })).id;
  }
  if (replaceElectrons !== undefined)
    throw new PolaronError('USAGE', `redispatch of ${id}: electrons can't be replaced yet`);
  if (args.length > 0)
    throw new PolaronError('USAGE', `redispatch of ${id}: new arguments need the lattice`, {
      help: 'Give it: redispatch(id, { lattice })(…).',
    });
  const reply = await hub.api.redispatch({
    key: rest.idempotencyKey ?? freshKey(),
    id,
    reuse,
    ...(rest.priority === undefined ? {} : { priority: rest.priority }),
  });
  return reply.id;
}

async function argumentsOf(hub: Hub, id: string): Promise<readonly unknown[]> {
  const args = await decodeReply(hub, await hub.api.value({ id }), `the arguments of dispatch ${id}`);
  return Array.isArray(args) ? args : [args];
}
