/**
 * Values by what made them, over all dispatches of a user (docs/adr/029). An entry only says which electron has the value: what that electron's record doesn't
 * vouch for isn't found, and neither is what is being purged. So a value is here as long as the dispatch that has it, and nothing is kept for an entry's sake.
 * Not here: what a key is (bus/reuse-key.ts), which electrons look (actors/lattice/reuse.ts).
 */
import type { CachedValue } from '../../bus/protocol/results.ts';
import type { Clock } from '../../model/clock.ts';
import type { Digest } from '../../model/ids.ts';
import { hasValue } from '../../model/lifecycle.ts';
import { decodeCached, decodeElectron, keys } from '../../store/records.ts';
import type { Store, WriteOp } from '../../store/store.ts';

/** One that is told stays for an hour (S5): until then a record of the asker names it. */
export function cachedValue(store: Store, user: string, key: Digest): CachedValue | undefined {
  const bytes = store.get(keys.cached(user, key));
  return bytes === undefined ? undefined : vouched(store, bytes);
}

function vouched(store: Store, bytes: Uint8Array): CachedValue | undefined {
  const { from, at } = decodeCached(bytes);
  const record = store.get(keys.electron(from.dispatch, from.node));
  if (record === undefined || store.get(keys.spec(from.dispatch)) === undefined) return undefined;
  const { status, value } = decodeElectron(record);
  return hasValue(status) && value !== undefined && store.hasValue(value.digest) ? { value, from, at } : undefined;
}

/** Entries read in one step: some ms. */
const STEP = 500;

/** Removes those whose electron was purged. Resolves when all were looked at; nothing is awaited of the disk. */
export async function clearCached(store: Store, pause: (clock: Clock) => Promise<void>, clock: Clock): Promise<void> {
  const { start, end } = keys.allCached;
  for (let from: string = start; ; ) {
    const stale: WriteOp[] = [];
    let last: string | undefined;
    let count = 0;
    for (const { key, value } of store.range({ start: from, end, limit: STEP })) {
      const { dispatch, node } = decodeCached(value).from;
      if (store.get(keys.electron(dispatch, node)) === undefined) stale.push({ op: 'remove', key });
      last = key;
      count++;
    }
    // In the same turn: an entry that comes later is another.
    if (stale.length > 0) void store.write(stale);
    if (last === undefined || count < STEP) return;
    from = `${last}!`;
    await pause(clock);
  }
}
