/** Values as bytes: stored once, cut apart with bounded memory. */
import { expect, it } from 'vitest';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import { composeList, sliceList, storeBytes, wholeValue } from '../../../actors/results/values.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeList } from '../../../bus/value/list.ts';
import { openMemoryStore } from '../../../store/memory-store.ts';

it('a large value that is wanted twice at once is stored once, and both have it', async () => {
  const store = openMemoryStore();
  const bytes = new Uint8Array(1_000_000).map((_, i) => i % 251);
  const [a, b] = await Promise.all([storeBytes(store, bytes), storeBytes(store, bytes)]);
  expect(a).toEqual(b);
  expect(Buffer.compare(await wholeValue(store, a.digest), bytes)).toBe(0);
  expect(await storeBytes(store, bytes)).toEqual(a);
});

it('the elements of a list wait for the disk by tens of megabytes, not all of them', async () => {
  const store = openMemoryStore({ flush: 'manual' });
  const write = store.write.bind(store);
  let [waiting, most] = [0, 0];
  store.write = (ops) => {
    for (const op of ops) if (op.op === 'value') waiting += op.bytes.byteLength;
    most = Math.max(most, waiting);
    return write(ops);
  };
  const flushing = setInterval(() => {
    waiting = 0;
    store.flush();
  }, 5);
  const element = (i: number): Uint8Array => Buffer.alloc(60_000, `${i} `);
  const list = encodeList(Array.from({ length: 3_000 }, (_, i) => element(i)));
  const { digest } = await storeBytes(store, list);
  expect(await sliceList(store, digest)).toHaveLength(3_000);
  clearInterval(flushing);
  expect(most).toBeLessThan(40 * 1024 * 1024);
});

it('a large list of small elements is read in a few pieces, whole and in order', async () => {
  const store = openMemoryStore();
  const read = store.readValue.bind(store);
  let reads = 0;
  store.readValue = (...at) => {
    reads++;
    return read(...at);
  };
  // Of every size: some end where a piece ends, and the last is larger than one.
  const sizes = [...Array.from({ length: 20_000 }, (_, i) => 1 + (i % 200)), 3_000_000, 7];
  const elements = sizes.map((size, i) => Buffer.alloc(size, `${i} `));
  const { digest } = await storeBytes(store, encodeList(elements));
  const cut = await sliceList(store, digest);
  expect(cut.map((info) => info.digest)).toEqual(elements.map((bytes) => digestOf(bytes)));
  expect(cut.map((info) => info.size)).toEqual(sizes);
  expect(
    Buffer.compare(await wholeValue(store, digestOf(elements[7] ?? Buffer.alloc(0))), elements[7] ?? Buffer.alloc(0)),
  ).toBe(0);
  expect(reads).toBeLessThan(20);
});

it('a long list is joined in turns, between which others have theirs, as encodeList would', async () => {
  const store = openMemoryStore();
  const elements = Array.from({ length: 20_000 }, (_, i) => Buffer.alloc(1 + (i % 50), `${i} `));
  const infos = await Promise.all(elements.map((bytes) => storeBytes(store, bytes)));
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const { digest } = await composeList(store, infos);
  over = true;
  expect(digest).toBe(digestOf(encodeList(elements)));
  expect(turns).toBeGreaterThan(5);
});

it('a value of another size than was said is not joined', async () => {
  const store = openMemoryStore();
  const info = await storeBytes(store, Buffer.from('five!'));
  await expect(composeList(store, [{ ...info, size: 4 }])).rejects.toMatchObject({ code: 'VALUE_MISSING' });
});

it('how items ended is put around their values, large ones as pointers, and decodes to results and reasons', async () => {
  const store = openMemoryStore();
  const small = await storeBytes(store, encodeValue({ rows: 1 }, 'x'));
  const large = await storeBytes(store, encodeValue('x'.repeat(5_000), 'x'));
  const reason = { node: 'count[1]', message: 'boom', code: 'TASK_THREW' };
  const list = await composeList(store, [small, reason, large, reason], true);
  expect(list.length).toBe(4);
  const bytes = await wholeValue(store, list.digest);
  expect(bytes.length).toBeLessThan(500);
  const found = store.smallValue(large.digest) ?? Buffer.of();
  expect(decodeValue(bytes, () => found)).toEqual([
    { status: 'fulfilled', value: { rows: 1 } },
    { status: 'rejected', reason },
    { status: 'fulfilled', value: 'x'.repeat(5_000) },
    { status: 'rejected', reason },
  ]);
  expect(await composeList(store, [small, reason, large, reason], true)).toEqual(list);
});
