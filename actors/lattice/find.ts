/** The nodes that somebody means by an id or a name. Pure. */
import { PolaronError } from '../../model/errors.ts';
import type { DispatchId } from '../../model/ids.ts';
import type { Plan } from '../../model/plan.ts';

/** A name without positions stands for every item of its map. Raises UNKNOWN_ELECTRON. */
export function findNodes(plan: Plan, wanted: number | string, dispatch: DispatchId): readonly number[] {
  if (typeof wanted === 'number') {
    if (Number.isSafeInteger(wanted) && wanted >= 0 && wanted < plan.size) return [wanted];
  } else {
    const found: number[] = [];
    for (let node = 0; node < plan.size; node++) {
      if (plan.plainNameOf(node) === wanted || plan.nameOf(node) === wanted) found.push(node);
    }
    if (found.length > 0) return found;
  }
  throw new PolaronError('UNKNOWN_ELECTRON', `dispatch ${dispatch} has no electron ${JSON.stringify(wanted)}`);
}
