/**
 * New arguments for a lattice that only the stored bundle knows: a graph that has it drawn on an agent, and a bundle that can.
 * Its value is the new dispatch's value.
 */
import type { RedispatchRequest } from '../../bus/protocol/redispatch.ts';
import { encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { valueInfoOf } from '../../bus/value/digest.ts';
import { encodeValue } from '../../bus/value/value.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { traceUnseen } from '../trace.ts';
import type { Hub } from './hub.ts';

export interface Unseen extends Pick<RedispatchRequest, 'graph' | 'args' | 'bundle'> {
  readonly uploads: ReadonlyMap<Digest, Uint8Array>;
}

/** Raises NO_SOURCE when the stored code doesn't hold the lattice, NOT_SERIALISABLE. */
export async function unseen(hub: Hub, id: string, args: readonly unknown[]): Promise<Unseen> {
  const { dispatch } = await hub.api.snapshot({ id, brief: true, limit: 1 });
  const name = dispatch.lattice;
  const { bundle: digest, bundleSize: size = 0 } = dispatch;
  const stored = digest === undefined ? undefined : await hub.blobs.fetch({ digest, size });
  const text = stored === undefined ? '' : Buffer.from(stored).toString('utf8');
  if (stored === undefined || !text.includes(name))
    throw new PolaronError(
      'NO_SOURCE',
      `the stored code of ${id} holds no lattice "${name}": its module was not needed by any electron`,
      {
        help: 'Define the lattice in the file of one of its electrons, or give it: redispatch(id, { lattice })(…).',
      },
    );
  const { withDrawing } = await import('../ship/drawing-part.ts');
  const code = await withDrawing(stored);
  const trace = traceUnseen(name, args);
  const uploads = new Map(trace.values);
  const kept = (bytes: Uint8Array): ValueInfo => {
    const info = valueInfoOf(bytes);
    uploads.set(info.digest, bytes);
    return info;
  };
  return {
    graph: kept(encodeGraph(trace.graph)),
    args: kept(encodeValue(args, `arguments of lattice "${name}"`)),
    bundle: kept(code),
    uploads,
  };
}
