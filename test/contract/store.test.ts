import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { storeContract } from './store-contract.ts';

const opened: { readonly store: Store; readonly path: string }[] = [];

storeContract({
  name: 'lmdb',
  open: async (options) => {
    const path = await mkdtemp(join(tmpdir(), 'polaron-store-'));
    const store = await openLmdbStore({ ...options, path, log: () => undefined });
    opened.push({ store, path });
    return store;
  },
  cleanUp: async () => {
    for (const { store, path } of opened.splice(0)) {
      await store.close();
      await rm(path, { recursive: true, force: true });
    }
  },
});

storeContract({ name: 'memory', open: async (options) => openMemoryStore(options), cleanUp: async () => undefined });
