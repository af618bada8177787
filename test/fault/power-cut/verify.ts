/** Opens what a power cut left, and says what of the store's promises it breaks (S1, S2 of store/store.ts, F1 of store/blob-files.ts). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../../bus/value/digest.ts';
import { PolaronError } from '../../../model/errors.ts';
import { openLmdbStore } from '../../../store/lmdb-store.ts';
import type { Store } from '../../../store/store.ts';
import { BATCHES, blobOf, KEPT, keyOf, recordOf, valueOf } from './batches.ts';
import type { Acknowledged } from './recording.ts';

/** One line each. */
export async function verify(path: string, promised: Acknowledged): Promise<readonly string[]> {
  const found = wrongNames(join(path, 'blobs'));
  let store: Store;
  try {
    store = await openLmdbStore({ path, log: () => undefined });
  } catch (error) {
    // before its first start has ended nobody was promised anything: it may say that it is damaged
    const begun = error instanceof PolaronError && error.code === 'DATA_DAMAGED' && !promised.opened;
    return begun ? found : [...found, `can't be opened: ${String(error)}`];
  }
  try {
    return [...found, ...ofBatches(store, promised.batch), ...(await ofBlobs(store, promised.blobs))];
  } finally {
    await store.close();
  }
}

function ofBatches(store: Store, acknowledged: number): readonly string[] {
  const found: string[] = [];
  const word = store.get('last');
  const last = word === undefined ? -1 : Number(Buffer.from(word).toString());
  if (last < acknowledged) found.push(`batch ${acknowledged} was acknowledged, and ${last} is the last`);
  const keys = [...store.range({ start: 'k/', end: 'k/~' })].map(({ key }) => key);
  const expected: string[] = [];
  for (let batch = Math.max(0, last - KEPT + 1); batch <= last; batch++) {
    expected.push(keyOf(batch));
    if (!same(store.get(keyOf(batch)), recordOf(batch)))
      found.push(`the record of batch ${batch} is not what was written`);
  }
  if (keys.join() !== expected.join())
    found.push(`after batch ${last} there are ${keys.length} records, expected ${expected.length}`);
  for (let batch = 0; batch < BATCHES; batch++) {
    const value = valueOf(batch);
    if (value === undefined) continue;
    const there = store.smallValue(value.digest);
    if (batch <= last && !same(there, value.bytes)) found.push(`the value of batch ${batch} is not there`);
    if (batch > last && there !== undefined)
      found.push(`the value of batch ${batch} is there, and batch ${last} is the last`);
  }
  return found;
}

async function ofBlobs(store: Store, acknowledged: readonly number[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const number of acknowledged) {
    const { bytes, digest } = blobOf(number);
    const there = store.hasValue(digest) ? await store.readValue(digest, 0, bytes.length + 1) : undefined;
    if (!same(there, bytes)) found.push(`large value ${number} was acknowledged, and is not there`);
  }
  return found;
}

/** Files under a digest's name that hold something else. */
function wrongNames(blobs: string): readonly string[] {
  if (!existsSync(blobs)) return [];
  return readdirSync(blobs, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile() || entry.parentPath.endsWith('/tmp')) return [];
    return digestOf(readFileSync(join(entry.parentPath, entry.name))) === entry.name
      ? []
      : [`large value ${entry.name} holds other bytes`];
  });
}

const same = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && Buffer.compare(a, b) === 0;
