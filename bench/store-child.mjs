/**
 * A store in a process of its own, for growth.ts: filled to a number of records, then what a write of 100, a read and the open cost. Forked with the path of a
 * new folder; a message is a number of records, its answer the figures. The store comes from the build: the package offers it to nobody.
 */
import { openLmdbStore } from '../dist/store/lmdb-store.js';

const BATCH = 100;
const VALUE_BYTES = 200;
const log = (level, message, fields) => {
  if (level === 'warn' || level === 'error')
    process.stderr.write(`store: ${message} ${JSON.stringify(fields ?? {})}\n`);
};
const path = process.argv[2];
let store = await openLmdbStore({ path, log });
let filled = 0;

/** Spread over the keys, as dispatch ids are; the same for the same number. */
const keyOf = (n) => `growth/${((n * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0')}/${n}`;
const batchFrom = (first, size) =>
  Array.from({ length: size }, (_, i) => ({
    op: 'put',
    key: keyOf(first + i),
    value: Buffer.alloc(VALUE_BYTES, (first + i) % 251),
  }));

async function fill(records) {
  const waiting = new Set();
  for (; filled + BATCH <= records; filled += BATCH) {
    const written = store.write(batchFrom(filled, BATCH)).finally(() => waiting.delete(written));
    waiting.add(written);
    if (waiting.size >= 64) await Promise.race(waiting);
  }
  await Promise.all(waiting);
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
  store = await openLmdbStore({ path, log });
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
