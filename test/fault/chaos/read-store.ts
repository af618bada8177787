/** Reads the store of a hub that is gone, by itself: every record of dispatches and electrons, and the bytes of every value. */
import { createHash } from 'node:crypto';
import { openLmdbStore } from '../../../store/lmdb-store.ts';
import { decodeDispatch, decodeElectron, keys, nodeOfKey } from '../../../store/records.ts';
import type { Store } from '../../../store/store.ts';
import type { ValueInfo } from '../../../model/outcome.ts';
import type { Stored } from './account.ts';

/** Raises what opening the store raises. */
export async function readStore(data: string): Promise<Stored> {
  const store = await openLmdbStore({ path: data, log: () => undefined });
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

async function read(store: Store): Promise<Stored> {
  const dispatches = new Map<string, { status: string; seq: number }>();
  const electrons = new Map<string, { status: string; seq: number }>();
  const attempts = new Map<string, number[]>();
  const values = new Map<string, ValueInfo>();
  for (const { key, value } of store.range(keys.allDispatches)) {
    const { status, seq } = decodeDispatch(value);
    dispatches.set(key.slice(2), { status, seq });
  }
  for (const { key, value: bytes } of store.range({ start: 'e/', end: 'e/~' })) {
    const { status, attempt, seq, value } = decodeElectron(bytes);
    const id = key.split('/')[1] ?? '';
    electrons.set(`${id}/${nodeOfKey(key)}`, { status, seq });
    if (status === 'completed') attempts.set(id, [...(attempts.get(id) ?? []), attempt]);
    if (value !== undefined) values.set(value.digest, value);
  }
  const damaged: string[] = [];
  for (const info of values.values()) {
    const wrong = await damageOf(store, info);
    if (wrong !== undefined) damaged.push(`value ${info.digest} of ${info.size} bytes: ${wrong}`);
  }
  const live = [...store.range(keys.allLive)].map(({ key }) => key.slice(5));
  return { dispatches, electrons, attempts, live, damaged, values: values.size };
}

async function damageOf(store: Store, { digest, size }: ValueInfo): Promise<string | undefined> {
  if (!store.hasValue(digest)) return 'it is not there';
  const bytes = await store.readValue(digest, 0, size + 1);
  if (bytes.length !== size) return `${bytes.length} bytes are there`;
  return createHash('sha256').update(bytes).digest('hex') === digest ? undefined : 'its bytes have another digest';
}
