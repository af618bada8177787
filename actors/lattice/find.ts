/** The nodes that somebody means by an id or a name. Pure. */
import { PolaronError } from '../../model/errors.ts';
import type { DispatchId } from '../../model/ids.ts';
import type { Plan } from '../../model/plan.ts';

/** A name without positions stands for every item of its map. Time grows with the nodes, not with how many are wanted. Raises UNKNOWN_ELECTRON. */
export function findNodes(plan: Plan, wanted: readonly (number | string)[], dispatch: DispatchId): readonly number[] {
  const found = new Set<number>();
  const names = new Set<string>();
  const unseen = new Set<string>();
  for (const one of wanted) {
    if (typeof one === 'string') {
      names.add(one);
      unseen.add(one);
    } else if (Number.isSafeInteger(one) && one >= 0 && one < plan.size) found.add(one);
    else throw unknown(dispatch, one);
  }
  for (let node = 0; node < plan.size && names.size > 0; node++) {
    for (const name of [plan.nameOf(node), plan.plainNameOf(node)]) {
      if (!names.has(name)) continue;
      found.add(node);
      unseen.delete(name);
    }
  }
  for (const name of unseen) throw unknown(dispatch, name);
  return [...found];
}

const unknown = (dispatch: DispatchId, wanted: number | string): PolaronError =>
  new PolaronError('UNKNOWN_ELECTRON', `dispatch ${dispatch} has no electron ${JSON.stringify(wanted)}`);
