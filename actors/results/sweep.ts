/**
 * Removes the values that no record names and nobody found of late (ADR 010). Works in steps, so that the manager answers meanwhile.
 *
 * V1. What was found, pinned or uploaded within an hour stays: that is the store's (S5).
 * V2. While it runs, every batch of records marks what it names before it is written (`RecordWriter.watch`).
 * V3. Marks and pins are asked, and the removal is queued, in one turn.
 * V4. Nothing is removed before what the marks rest on is on disk.
 */
import { digestOf } from '../../bus/value/digest.ts';
import { encodeValue } from '../../bus/value/value.ts';
import type { Clock } from '../../model/clock.ts';
import { DigestFilter } from '../../model/digest-filter.ts';
import { isDispatchId } from '../../model/ids.ts';
import { decodeExpansion, keys } from '../../store/records.ts';
import type { Dropped, Store } from '../../store/store.ts';
import type { LiveDispatches } from './live.ts';
import { clearCached } from './cached.ts';
import { finishRemovals } from './removal.ts';
import { eachDigest, valuesOf } from './references.ts';
import type { RecordWriter } from './writer.ts';

export interface SweepOptions {
  readonly store: Store;
  readonly live: LiveDispatches;
  readonly writer: RecordWriter;
  readonly clock: Clock;
}

/** Records read in one step: about a millisecond. An expansion holds an item per electron. */
const STEP = 500;
const EXPANSIONS_STEP = 8;
/** Between two steps, ms. */
const PAUSE_MS = 1;

/** `turn`: the number of this sweep. Raises DATA_DAMAGED when a record can't be read: then nothing is removed. */
export async function sweep(o: SweepOptions, turn: number): Promise<Dropped> {
  const { store, writer } = o;
  await finishRemovals(store);
  await clearCached(store, pause, o.clock);
  const marks = new DigestFilter(store.valueCount(), turn);
  writer.watch = (ops) => eachDigest(ops, (digest) => marks.add(digest));
  try {
    await mark(o, marks);
    await store.write([]);
    return await clear(o, marks);
  } finally {
    writer.watch = undefined;
  }
}

async function mark(o: SweepOptions, marks: DigestFilter): Promise<void> {
  const visit = (key: string, value: Uint8Array): void => {
    for (const { digest } of valuesOf(key, value)) marks.add(digest);
  };
  await inSteps(o, keys.allSpecs, STEP, visit);
  await inSteps(o, keys.allElectrons, STEP, visit);
  let longest = 0;
  await inSteps(o, keys.allExpansions, EXPANSIONS_STEP, (key, value) => {
    visit(key, value);
    const [, id] = key.split('/');
    if (isDispatchId(id) && o.live.has(id)) longest = Math.max(longest, decodeExpansion(value).items.length);
  });
  // Positions in a map are values that the hub makes, and that only its memory names.
  for (let i = 0; i < longest; i++) {
    marks.add(digestOf(encodeValue(i, 'index')));
    if (i % STEP === 0) await pause(o.clock);
  }
}

async function clear(o: SweepOptions, marks: DigestFilter): Promise<Dropped> {
  const all = { values: 0, bytes: 0, held: 0 };
  for await (const digests of o.store.storedValues()) {
    const garbage = digests.filter((digest) => !marks.has(digest));
    if (garbage.length > 0) {
      const { values, bytes, held } = o.store.dropValues(garbage);
      all.values += values;
      all.bytes += bytes;
      all.held += held;
      await o.store.write([]);
    }
    await pause(o.clock);
  }
  return all;
}

async function inSteps(
  { store, clock }: SweepOptions,
  { start, end }: { readonly start: string; readonly end: string },
  limit: number,
  visit: (key: string, value: Uint8Array) => void,
): Promise<void> {
  for (let from = start; ; ) {
    let last: string | undefined;
    let count = 0;
    for (const { key, value } of store.range({ start: from, end, limit })) {
      visit(key, value);
      last = key;
      count++;
    }
    if (last === undefined || count < limit) return;
    from = `${last}!`;
    await pause(clock);
  }
}

const pause = (clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    clock.after(PAUSE_MS, resolve, 'routine');
  });
