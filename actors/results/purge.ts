/**
 * Removes ended dispatches that are old enough, page by page. Their values go with the next sweep.
 * Not here: how one is removed (removal.ts), who asks (upkeep.ts).
 */
import type { PurgePage, PurgeQuestion } from '../../bus/protocol/results.ts';
import { isDispatchId, type DispatchId } from '../../model/ids.ts';
import { isTerminalDispatch } from '../../model/lifecycle.ts';
import type { DispatchRecord, DispatchSpec } from '../../model/records.ts';
import { decodeDispatch, decodeSpec, keys, tailOfKey, userOfKey } from '../../store/records.ts';
import type { Store } from '../../store/store.ts';
import type { LiveDispatches } from './live.ts';
import { removeDispatch } from './removal.ts';

export interface PurgeOptions {
  readonly store: Store;
  readonly live: LiveDispatches;
  /** It isn't there any more. */
  readonly forget: (id: DispatchId) => void;
}

/** Of one page: it is put together in one turn of the event loop. */
const MOST_LOOKED_AT = 1_000;
const MOST_REMOVED = 100;
const MOST_ELECTRONS = 20_000;
/** Electrons of one dispatch that are removed by itself. */
const LARGE = 250;

interface Found {
  readonly spec: DispatchSpec;
  readonly large: boolean;
}

/** It has ended, and is what was asked for. `live` is the manager's memory: what has ended there has its end in the queue. */
function isDue(
  o: PurgeOptions,
  { id, acceptedAt }: DispatchSpec,
  record: DispatchRecord,
  asked: Pick<PurgeQuestion, 'statuses' | 'endedBefore'>,
): boolean {
  if (!isTerminalDispatch(record.status) || o.live.has(id)) return false;
  if (asked.statuses !== undefined && !asked.statuses.includes(record.status)) return false;
  return (record.endedAt ?? acceptedAt) <= asked.endedBefore && !isUsed(o, id);
}

/** A lattice inside another goes when the outermost does, however it ended itself; when that one went with the page before, too. */
function goes(o: PurgeOptions, spec: DispatchSpec, record: DispatchRecord, asked: PurgeQuestion): boolean {
  const root = spec.outer === undefined ? undefined : read(o.store, spec.outer.root);
  if (root === undefined)
    return isDue(o, spec, record, spec.outer === undefined ? asked : { endedBefore: asked.endedBefore });
  if (!isTerminalDispatch(record.status) || o.live.has(spec.id) || isUsed(o, spec.id)) return false;
  return isDue(o, root.spec, root.record, asked);
}

function read(
  store: Store,
  id: DispatchId,
): { readonly spec: DispatchSpec; readonly record: DispatchRecord } | undefined {
  const [spec, record] = [store.get(keys.spec(id)), store.get(keys.dispatch(id))];
  return spec === undefined || record === undefined
    ? undefined
    : { spec: decodeSpec(spec), record: decodeDispatch(record) };
}

/** One page from `from` on, oldest first; `next`: where the following one begins. Resolves when what it removed is gone from the disk. */
export async function purgePage(o: PurgeOptions, asked: PurgeQuestion): Promise<PurgePage> {
  let [looked, electrons] = [0, 0];
  const found: Found[] = [];
  let next: string | undefined;
  for (const { key, value } of o.store.range({ start: `d/${asked.from ?? ''}`, end: keys.allDispatches.end })) {
    const id = tailOfKey(key);
    if (!isDispatchId(id)) continue;
    if (looked++ >= MOST_LOOKED_AT || found.length >= MOST_REMOVED || electrons >= MOST_ELECTRONS) {
      next = id;
      break;
    }
    const record = decodeDispatch(value);
    if (!isTerminalDispatch(record.status)) continue; // most of what can't go
    const bytes = o.store.get(keys.spec(id));
    if (bytes === undefined) continue;
    const spec = decodeSpec(bytes);
    if (spec.user !== asked.user || !goes(o, spec, record, asked)) continue;
    let own = 0;
    for (const count of Object.values(record.counts ?? {})) own += count;
    electrons += own;
    found.push({ spec, large: own >= LARGE });
  }
  const removals: Promise<void>[] = [];
  for (const { spec, large } of asked.dryRun ? [] : found) {
    if (isUsed(o, spec.outer?.root ?? spec.id)) continue; // a redispatch came meanwhile
    o.forget(spec.id);
    const removal = removeDispatch(o.store, spec);
    removals.push(removal);
    if (large) await removal; // several batches: not at once with those of others
  }
  await Promise.all(removals);
  return { dispatches: found.length, electrons, ...(next === undefined ? {} : { next }) };
}

/** A dispatch that lives takes values over from it. */
function isUsed({ store, live }: PurgeOptions, id: DispatchId): boolean {
  for (const { key } of store.range(keys.usesOf(id))) {
    const user = userOfKey(key);
    if (isDispatchId(user) && live.has(user)) return true;
  }
  return false;
}
