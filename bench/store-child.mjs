/**
 * A store in a process of its own, for growth.ts: filled to a number of records, then what a write of 100, a read and the open cost. Forked with the path of a
 * new folder; a message is a number of records, its answer the figures. The store comes from the build: the package offers it to nobody.
 */
import { openLmdbStore } from '../dist/store/lmdb-store.js';

const BATCH = 100;
const FILL_BATCH = 1_000;
const VALUE_BYTES = 200;
const log = (level, message, fields) => {
  if (level === 'warn' || level === 'error')
    process.stderr.write(`store: ${message} ${JSON.stringify(fields ?? {})}\n`);
};
const path = process.argv[2];
// A disk that is busy with filling is no broken one.
const options = { path, log, flushTimeoutMs: 120_000 };
let store = await openLmdbStore(options);
let filled = 0;

/** Spread over the keys, as dispatch ids are: a number of 32 bits, another for each record; and back. */
const placeOf = (n) => Math.imul(n, 2_654_435_761) >>> 0;
const recordAt = (place) => Math.imul(place, 244_002_641) >>> 0;
const keyOf = (n) => `growth/${placeOf(n).toString(16).padStart(8, '0')}/${n}`;
const putsOf = (numbers) =>
  Array.from(numbers, (n) => ({ op: 'put', key: keyOf(n), value: Buffer.alloc(VALUE_BYTES, n % 251) }));
const batchFrom = (first, size) => putsOf(Array.from({ length: size }, (_, i) => first + i));

/** In the order of the keys, so that a page is written once and not once for each of its records: LMDB leaves it half full, random keys two thirds. */
async function fill(records) {
  const places = Uint32Array.from({ length: Math.max(0, records - filled) }, (_, i) => placeOf(filled + i)).sort();
  const waiting = new Set();
  for (let at = 0; at < places.length; at += FILL_BATCH) {
    const batch = putsOf(Array.from(places.subarray(at, at + FILL_BATCH), recordAt));
    const written = store.write(batch).finally(() => waiting.delete(written));
    waiting.add(written);
    if (waiting.size >= 16) await Promise.race(waiting);
  }
  await Promise.all(waiting);
  filled = Math.max(filled, records);
}

async function times(count, work) {
  const list = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await work(i);
    list.push((performance.now() - began) * 1_000);
  }
  return list;
}

async function measure(records) {
  await fill(records);
  const beganOpen = performance.now();
  await store.close();
  const closed = performance.now();
  store = await openLmdbStore(options);
  const opened = performance.now();
  const reads = await times(1_000, (i) => {
    const n = Math.floor((i * filled) / 1_000);
    const value = store.get(keyOf(n));
    if (value?.length !== VALUE_BYTES || value[0] !== n % 251) throw new Error(`record ${n} is not what was written`);
  });
  const writes = await times(50, async () => {
    await store.write(batchFrom(filled, BATCH));
    filled += BATCH;
  });
  return {
    records,
    closeMs: closed - beganOpen,
    openMs: opened - closed,
    reads,
    writes,
    rssBytes: process.memoryUsage().rss,
  };
}

process.on('disconnect', () => process.exit(0));
process.on('message', (records) => {
  measure(records).then(
    (figures) => process.send?.(figures),
    (error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    },
  );
});
process.send?.('ready');
