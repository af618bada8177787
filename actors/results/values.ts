/** Values as bytes: put together into lists and cut apart. Nothing here decodes a user's value. Not here: pulling them from agents (pull.ts). */
import { digestOf } from '../../bus/value/digest.ts';
import {
  encodeList,
  encodePointer,
  isList,
  LIST_HEAD_BYTES,
  listElement,
  listIndex,
  listLength,
} from '../../bus/value/list.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { INLINE_VALUE_BYTES, type Store, type WriteOp } from '../../store/store.ts';

/** Elements over this become pointers, so that a list of many large values stays small. */
const INLINE_ELEMENT_BYTES = 4 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Elements of a list that may wait for the disk before the next are cut off, bytes. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;

/** All bytes of a value. Raises VALUE_MISSING. */
export async function wholeValue(store: Store, digest: Digest): Promise<Uint8Array> {
  const small = store.smallValue(digest);
  if (small !== undefined) return small;
  const size = store.valueSize(digest);
  if (size === undefined) throw new PolaronError('VALUE_MISSING', `value ${digest} is not in the store`);
  return store.readValue(digest, 0, size);
}

/** Stores bytes of any size under their digest, durably when they are large. */
export async function storeBytes(store: Store, bytes: Uint8Array): Promise<ValueInfo> {
  const digest = digestOf(bytes);
  const info: ValueInfo = { digest, size: bytes.byteLength, ...(isList(bytes) ? { length: listLength(bytes) } : {}) };
  if (bytes.byteLength <= INLINE_VALUE_BYTES) {
    store.pin(digest);
    void store.write([{ op: 'value', digest, bytes }]).catch(() => undefined); // a failed flush is seen by whoever writes next
    return info;
  }
  if (store.hasValue(digest)) return info;
  const writer = await store.openBlob(digest, bytes.byteLength);
  try {
    for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) await writer.write(bytes.subarray(at, at + CHUNK_BYTES));
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return info;
}

/** One list value of these; large elements as pointers. */
export async function composeList(store: Store, elements: readonly ValueInfo[]): Promise<ValueInfo> {
  const parts: Uint8Array[] = [];
  for (const info of elements) {
    if (info.size > INLINE_ELEMENT_BYTES) parts.push(encodePointer(info));
    else parts.push(store.smallValue(info.digest) ?? (await wholeValue(store, info.digest)));
  }
  return storeBytes(store, encodeList(parts));
}

/** Each element of a list as a value of its own. */
export async function sliceList(store: Store, digest: Digest): Promise<readonly ValueInfo[]> {
  const size = store.valueSize(digest);
  const small = store.smallValue(digest);
  if (small !== undefined)
    return storeElements(store, listLength(small), (i) => Promise.resolve(listElement(small, i)));
  if (size === undefined) throw new PolaronError('VALUE_MISSING', `value ${digest} is not in the store`);
  const index = listIndex(await store.readValue(digest, 0, LIST_HEAD_BYTES));
  const head = await store.readValue(digest, 0, index.headerBytes);
  return storeElements(store, index.length, (i) => {
    const slot = index.slot(i);
    const range = index.range(head.subarray(slot.offset, slot.offset + slot.length));
    return store.readValue(digest, range.offset, range.length);
  });
}

async function storeElements(
  store: Store,
  length: number,
  element: (i: number) => Promise<Uint8Array>,
): Promise<readonly ValueInfo[]> {
  const infos: ValueInfo[] = [];
  let writes: WriteOp[] = [];
  /** Bytes handed in since the disk was last waited for. */
  let waiting = 0;
  for (let i = 0; i < length; i++) {
    const bytes = await element(i);
    const nested = isList(bytes) ? { length: listLength(bytes) } : {};
    const info: ValueInfo = { digest: digestOf(bytes), size: bytes.byteLength, ...nested };
    infos.push(info);
    if (bytes.byteLength > INLINE_VALUE_BYTES) await storeBytes(store, bytes);
    else {
      store.pin(info.digest);
      writes.push({ op: 'value', digest: info.digest, bytes });
    }
    waiting += bytes.byteLength;
    const full = waiting > MOST_WAITING_BYTES;
    if (writes.length < 1_000 && !full && i < length - 1) continue;
    const flushed = store.write(writes);
    writes = [];
    if (full) {
      await flushed;
      waiting = 0;
    } else flushed.catch(() => undefined); // as above
  }
  return infos;
}
