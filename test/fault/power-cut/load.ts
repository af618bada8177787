/** The recorded process: `load.ts STORE DATA ACKS` writes batches and large values into the store of the module STORE, and says in the file ACKS what was acknowledged. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Store, StoreOptions } from '../../../store/store.ts';
import { BATCHES, blobOf, BLOBS, opsOf } from './batches.ts';

const CHUNK = 32 * 1024;
/** So small that its files are used again many times. */
const JOURNAL_BYTES = 16 * 1024;
const [, , module = '', data = '', acks = ''] = process.argv;

async function openStore(): Promise<Store> {
  const loaded: { openLmdbStore(o: StoreOptions & { log: () => void }): Promise<Store> } = await import(module);
  return loaded.openLmdbStore({ path: data, log: () => undefined, journalBytes: JOURNAL_BYTES });
}

async function main(): Promise<void> {
  const file = openSync(acks, 'a');
  const acknowledged = (what: string): void => void writeSync(file, `${what}\n`);
  const store = await openStore();
  acknowledged('open');

  const upload = async (number: number): Promise<void> => {
    const { bytes, digest } = blobOf(number);
    const writer = await store.openBlob(digest, bytes.length);
    for (let at = 0; at < bytes.length; at += CHUNK) await writer.write(bytes.subarray(at, at + CHUNK));
    const finished = writer.finish();
    // as who needs the value and finds it there: it counts on it
    while (!store.hasValue(digest)) await new Promise((resolve) => setImmediate(resolve));
    acknowledged(`blob ${number}`);
    await finished;
  };
  /** LMDB gets all that is in the journal before it says what it has; others write meanwhile. */
  const settle = async (): Promise<void> => {
    for await (const _ of store.storedValues()) break;
  };
  const others: Promise<void>[] = [];
  let begun = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const flushed = store.write(opsOf(batch)).then(() => acknowledged(`batch ${batch}`));
    // several at once
    if (batch % 20 === 2) for (let more = 0; more < 3 && begun < BLOBS; more++) others.push(upload(begun++));
    if (batch % 8 === 5) others.push(settle());
    // some of them share a commit, some wait for it
    if (batch % 7 === 0) await flushed;
    else if (batch % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(others);
  await store.close();
  closeSync(file);
}

await main();
