/** The dispatch of a lattice's node: whoever knows the outer dispatch and the node's place in its graph knows its id. */
import { innerDispatchId, type DispatchId } from '../model/ids.ts';
import { digestOf } from './value/digest.ts';

/** `path`: as `Plan.pathOf` says. */
export const innerIdOf = (outer: DispatchId, path: string): DispatchId =>
  innerDispatchId(outer, digestOf(Buffer.from(`${outer} ${path}`)));
