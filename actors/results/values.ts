/** Values as bytes: put together into lists and cut apart. Nothing here decodes a user's value. Not here: pulling them from agents (pull.ts). */
import { digestOf } from '../../bus/value/digest.ts';
import {
  encodePointer,
  isList,
  LIST_HEAD_BYTES,
  listElement,
  listIndex,
  listLength,
  ListWriter,
  POINTER_BYTES,
} from '../../bus/value/list.ts';
import { FULFILLED, REJECTED, withContent } from '../../bus/value/settled.ts';
import { encodeValue } from '../../bus/value/value.ts';
import type { ListElement } from '../../bus/protocol/results.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { INLINE_VALUE_BYTES, type Store, type WriteOp } from '../../store/store.ts';

/** Elements over this become pointers, so that a list of many large values stays small. */
const INLINE_ELEMENT_BYTES = 4 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Elements of a list that may wait for the disk before the next are cut off: bytes, and how many. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;
const MOST_WAITING = 8_192;
/** Elements that are joined before others have their turn: some ms. */
const MOST_IN_TURN = 2_048;
/** Of a list in a file so many bytes are read at once: a read for each element would take longer than all else. */
const READ_BYTES = 1024 * 1024;

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

/**
 * One list value of these; large elements as pointers. `settled`: each is put in how its item ended. Others have their turn meanwhile: to read a million
 * takes seconds.
 */
export async function composeList(store: Store, elements: readonly ListElement[], settled = false): Promise<ValueInfo> {
  const head = settled ? FULFILLED : undefined;
  const failures: Uint8Array[] = [];
  let bytes = 0;
  let inTurn = 0;
  for (const element of elements) {
    if ('digest' in element) bytes += (head?.byteLength ?? 0) + (isInline(element) ? element.size : POINTER_BYTES);
    else {
      const rejected = withContent(REJECTED, encodeValue(element, 'a reason'));
      failures.push(rejected);
      bytes += rejected.byteLength;
      if (++inTurn % MOST_IN_TURN === 0) await nextTurn();
    }
  }
  const list = new ListWriter(elements.length, bytes);
  let failed = 0;
  for (const element of elements) {
    if (!('digest' in element)) list.add(failures[failed++] ?? REJECTED);
    else if (isInline(element))
      list.add(asSaid(element, store.smallValue(element.digest) ?? (await wholeValue(store, element.digest))), head);
    else list.add(encodePointer(element), head);
    if (++inTurn % MOST_IN_TURN === 0) await nextTurn();
  }
  return storeBytes(store, list.end());
}

function asSaid({ digest, size }: ValueInfo, bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength !== size)
    throw new PolaronError('VALUE_MISSING', `value ${digest} has ${bytes.byteLength} bytes, not ${size}`);
  return bytes;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isInline = ({ size }: ValueInfo): boolean => size <= INLINE_ELEMENT_BYTES;

/** Each element of a list as a value of its own. Others have their turn meanwhile. */
export async function sliceList(store: Store, digest: Digest): Promise<readonly ValueInfo[]> {
  const small = store.smallValue(digest);
  if (small !== undefined) return storeElements(store, listLength(small), (i) => listElement(small, i));
  if (store.valueSize(digest) === undefined)
    throw new PolaronError('VALUE_MISSING', `value ${digest} is not in the store`);
  const index = listIndex(await store.readValue(digest, 0, LIST_HEAD_BYTES));
  const head = await store.readValue(digest, 0, index.headerBytes);
  let read: { readonly from: number; readonly bytes: Uint8Array } = { from: 0, bytes: new Uint8Array() };
  return storeElements(store, index.length, (i) => {
    const slot = index.slot(i);
    const { offset, length } = index.range(head.subarray(slot.offset, slot.offset + slot.length));
    const at = offset - read.from;
    if (at >= 0 && at + length <= read.bytes.byteLength) return read.bytes.slice(at, at + length);
    return store.readValue(digest, offset, Math.max(length, READ_BYTES)).then((bytes) => {
      read = { from: offset, bytes };
      return bytes.slice(0, length);
    });
  });
}

/** `element`: a promise of it only when it has to be read. */
async function storeElements(
  store: Store,
  length: number,
  element: (i: number) => Uint8Array | Promise<Uint8Array>,
): Promise<readonly ValueInfo[]> {
  const infos: ValueInfo[] = [];
  let writes: WriteOp[] = [];
  /** Handed in since the disk was last waited for. */
  let [waiting, waitingBytes] = [0, 0];
  for (let i = 0; i < length; i++) {
    const found = element(i);
    const bytes = found instanceof Promise ? await found : found;
    const info: ValueInfo = isList(bytes)
      ? { digest: digestOf(bytes), size: bytes.byteLength, length: listLength(bytes) }
      : { digest: digestOf(bytes), size: bytes.byteLength };
    infos.push(info);
    if (bytes.byteLength > INLINE_VALUE_BYTES) await storeBytes(store, bytes);
    else {
      store.pin(info.digest);
      writes.push({ op: 'value', digest: info.digest, bytes });
    }
    waiting++;
    waitingBytes += bytes.byteLength;
    const full = waiting >= MOST_WAITING || waitingBytes > MOST_WAITING_BYTES;
    if (writes.length < 1_000 && !full && i < length - 1) continue;
    const flushed = store.write(writes);
    writes = [];
    if (full) {
      await flushed;
      [waiting, waitingBytes] = [0, 0];
    } else flushed.catch(() => undefined); // as above
  }
  return infos;
}
