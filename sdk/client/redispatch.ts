/**
 * `redispatch`: a new dispatch made from an old one. Without a lattice the hub makes it from what it has stored; with one it is traced here, like any other.
 * Not here: which values are taken over (the hub decides).
 */
import { PolaronError } from '../../model/errors.ts';
import { executorsOf } from '../executor-option.ts';
import type { RedispatchOptions } from '../types.ts';
import { type DispatchEnvironment, freshKey, startDispatch } from './dispatch.ts';
import type { Hub } from './hub.ts';
import { decodeReply } from './outputs.ts';
import { replacementsFor, replacementsOf } from './replacements.ts';
import { parametersOf, type Setting, withSettings } from './settings.ts';
import { unseen } from './unseen.ts';

export type AnyRedispatchOptions = Omit<RedispatchOptions<never, never>, 'lattice'> & { readonly lattice?: unknown };

/** Resolves with the new dispatch's id. Raises UNKNOWN_DISPATCH, and with a lattice what `dispatch` raises. */
export async function startRedispatch(
  hub: Hub,
  environment: DispatchEnvironment,
  id: string,
  options: AnyRedispatchOptions,
  args: readonly unknown[],
): Promise<string> {
  const { lattice, reusePreviousResults: reuse = false, replaceElectrons = {}, ...rest } = options;
  if (lattice !== undefined) {
    const given = args.length > 0 ? args : await argumentsOf(hub, id);
    const { replace, uploads } = await replacementsFor(environment.shipping, replaceElectrons, rest);
    if (uploads.size > 0) await hub.blobs.ensure(uploads);
    return (await startDispatch(hub, environment, lattice, rest, given, { origin: { of: id, reuse }, replace })).id;
  }
  const { replace, uploads: code } = await replacementsOf(hub, environment.shipping, id, replaceElectrons, rest);
  const { uploads: data, ...others } = args.length > 0 ? await unseen(hub, id, args) : { uploads: [] };
  const uploads = new Map([...code, ...data]);
  const request = {
    key: rest.idempotencyKey ?? freshKey(),
    id,
    reuse,
    ...(rest.priority === undefined ? {} : { priority: rest.priority }),
    ...(replace.length === 0 ? {} : { replace }),
    ...executorsOf(rest),
    ...others,
  };
  const send = async (): Promise<string> => {
    if (uploads.size > 0) await hub.blobs.ensure(uploads);
    return (await hub.api.redispatch(request)).id;
  };
  try {
    return await send();
  } catch (error) {
    // Another data folder: what it was believed to have is sent once more.
    if (!(error instanceof PolaronError) || error.code !== 'VALUE_MISSING' || uploads.size === 0) throw error;
    hub.blobs.forget();
    return send();
  }
}

async function argumentsOf(hub: Hub, id: string): Promise<readonly unknown[]> {
  const args = await decodeReply(hub, await hub.api.value({ id }), `the arguments of dispatch ${id}`);
  return Array.isArray(args) ? args : [args];
}

/** For the CLI: the old arguments with these changes. Raises USAGE for a name that the lattice doesn't have. */
export async function startRedispatchWith(
  hub: Hub,
  environment: DispatchEnvironment,
  id: string,
  reuse: boolean,
  settings: readonly Setting[],
): Promise<string> {
  const options = { reusePreviousResults: reuse };
  if (settings.length === 0) return startRedispatch(hub, environment, id, options, []);
  const [args, { dispatch }] = await Promise.all([argumentsOf(hub, id), hub.api.snapshot({ id, limit: 1 })]);
  const given = withSettings(args, settings, await parametersOf(dispatch.source ?? ''));
  return startRedispatch(hub, environment, id, options, given);
}
