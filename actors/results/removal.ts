/**
 * Takes a dispatch's records away, so that it is never half there: a small one in one batch. Of a large one the first batch takes what makes it a dispatch
 * and leaves `gone/ID`, which goes last; whoever finds that finishes.
 */
import { isDispatchId, type DispatchId } from '../../model/ids.ts';
import type { DispatchSpec } from '../../model/records.ts';
import { decodeKey, keys, tailOfKey } from '../../store/records.ts';
import type { Store, WriteOp } from '../../store/store.ts';
import { keyPart } from './writer.ts';

/** Records removed in one batch. */
const BATCH = 1_000;

const remove = (key: string): WriteOp => ({ op: 'remove', key });

/** Resolves when all of it is gone from the disk. From the first turn on nobody finds the dispatch. */
export async function removeDispatch(store: Store, spec: DispatchSpec): Promise<void> {
  const { id } = spec;
  const ops = [remove(keys.dispatch(id)), remove(keys.spec(id))];
  const key = keys.idempotency(spec.user, keyPart(spec.key));
  const owner = store.get(key);
  if (owner !== undefined && decodeKey(owner).id === id) ops.push(remove(key));
  if (spec.origin?.reuse === true && spec.origin.by === undefined) ops.push(remove(keys.use(spec.origin.of, id)));
  const rest = some(store, id);
  if (rest.length < BATCH) {
    await store.write([...ops, ...rest.map(remove)]);
    return;
  }
  await store.write([...ops, { op: 'put', key: keys.gone(id), value: new Uint8Array() }]);
  await finish(store, id);
}

/** What a stop in the middle left. */
export async function finishRemovals(store: Store): Promise<void> {
  for (const { key } of [...store.range(keys.allGone)]) {
    const id = tailOfKey(key);
    if (isDispatchId(id)) await finish(store, id);
  }
}

async function finish(store: Store, id: DispatchId): Promise<void> {
  for (;;) {
    const rest = some(store, id);
    if (rest.length === 0) break;
    await store.write(rest.map(remove));
  }
  await store.write([remove(keys.gone(id))]);
}

/** Keys of up to a batch of its electrons, expansions, logs and attempts. */
function some(store: Store, id: DispatchId): readonly string[] {
  const found: string[] = [];
  const ranges = [
    keys.electronsOf(id),
    keys.expansionsOf(id),
    keys.allLogsOf(id),
    keys.allAttemptsOf(id),
    keys.usesOf(id),
  ];
  for (const range of ranges)
    for (const { key } of store.range({ ...range, limit: BATCH - found.length })) found.push(key);
  return found;
}
