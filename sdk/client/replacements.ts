/**
 * What `replaceElectrons` asks of a redispatch: definitions and code of the new electrons, checked against the calls in the old graph.
 * Not here: putting them into graphs (the hub, since lattices inside others may be drawn later).
 */
import type { Replacement } from '../../bus/protocol/redispatch.ts';
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import { decodeTemplate } from '../../bus/value/template.ts';
import { PolaronError } from '../../model/errors.ts';
import type { WireGraph, WireNode } from '../../model/graph.ts';
import type { Digest } from '../../model/ids.ts';
import { electronInfoOf, type ElectronInfo } from '../builder.ts';
import { resolveElectron } from '../options.ts';
import type { DispatchOptions } from '../types.ts';
import type { Hub } from './hub.ts';
import { packagesOf, type Shipping } from './preparation.ts';

export interface Replacements {
  readonly replace: readonly Replacement[];
  /** Code to upload. */
  readonly uploads: ReadonlyMap<Digest, Uint8Array>;
}

type Wanted = readonly (readonly [name: string, info: ElectronInfo])[];

/** Raises USAGE, SIGNATURE_MISMATCH, UNKNOWN_ELECTRON, and the errors of code shipping. */
export async function replacementsOf(
  hub: Hub,
  shipping: Shipping,
  id: string,
  electrons: Readonly<Record<string, unknown>>,
  options: DispatchOptions,
): Promise<Replacements> {
  const wanted = wantedOf(electrons);
  if (wanted.length === 0) return { replace: [], uploads: new Map() };
  const graph = await graphOf(hub, id);
  for (const [name, info] of wanted) checkCalls(graph, name, info);
  return shipped(shipping, wanted, options);
}

/** The same for a lattice at hand, whose calls are traced: nothing is compared with the old graph. */
export const replacementsFor = (
  shipping: Shipping,
  electrons: Readonly<Record<string, unknown>>,
  options: DispatchOptions,
): Promise<Replacements> => shipped(shipping, wantedOf(electrons), options);

const wantedOf = (electrons: Readonly<Record<string, unknown>>): Wanted =>
  Object.entries(electrons).map(([name, handle]) => [name, infoOf(name, handle)]);

function infoOf(name: string, handle: unknown): ElectronInfo {
  const info = electronInfoOf(handle);
  if (info !== undefined) return info;
  throw new PolaronError(
    'USAGE',
    `replaceElectrons: "${name}" is to be replaced by ${typeof handle}; expected an electron`,
    {
      help: 'Make one with electron(function …).',
    },
  );
}

async function shipped(shipping: Shipping, wanted: Wanted, options: DispatchOptions): Promise<Replacements> {
  const uploads = new Map<Digest, Uint8Array>();
  if (wanted.length === 0) return { replace: [], uploads };
  const entries = wanted.map(([, info]) => info.entry);
  const defs = wanted.map(([name, info]) => {
    const executor = options.executors?.[name];
    return resolveElectron(info, { defaults: {}, executors: executor === undefined ? {} : { [info.name]: executor } });
  });
  const [bundle, captures] = await Promise.all([
    shipping.bundle(entries, options, packagesOf(defs)),
    shipping.captures(entries),
  ]);
  uploads.set(bundle.digest, bundle.code);
  const replace = wanted.map(([name, info], i): Replacement => {
    const code = bundle.codes[info.name];
    const own = captures[info.name];
    return {
      name,
      def: defs[i] ?? resolveElectron(info, { defaults: {}, executors: {} }),
      bundle: { digest: bundle.digest, size: bundle.code.length },
      ...(code === undefined ? {} : { code }),
      ...(own === undefined ? {} : { captures: own }),
    };
  });
  return { replace, uploads };
}

async function graphOf(hub: Hub, id: string): Promise<WireGraph> {
  const { dispatch } = await hub.api.snapshot({ id, limit: 1 });
  if (dispatch.graph === undefined)
    throw new PolaronError('BAD_MESSAGE', `dispatch ${id}: the hub's snapshot has no graph`);
  return decodeGraph(await hub.blobs.fetch(dispatch.graph));
}

/** A call that gives fewer arguments than the new function needs would run it with nothing in their place. */
function checkCalls(graph: WireGraph, name: string, { name: by, run, entry }: ElectronInfo): void {
  const visit = (nodes: readonly WireNode[]): void => {
    for (const node of nodes) {
      if (node.kind === 'map') visit(node.body.nodes);
      if (node.kind !== 'electron' || graph.electrons[node.electron]?.name !== name) continue;
      const given = decodeTemplate(node.template, () => undefined);
      if (!Array.isArray(given) || given.length >= run.length) continue;
      throw new PolaronError(
        'SIGNATURE_MISMATCH',
        `electron "${name}" is called with ${given.length} argument${given.length === 1 ? '' : 's'}; "${by}" (${entry.at}), which is to replace it, takes ${run.length}`,
      );
    }
  };
  visit(graph.nodes);
}
