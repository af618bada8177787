/** A memory store whose disk is slow: so many operations reach it per tick, in order, however many wait. It counts what waits. */
import { openMemoryStore, type MemoryStore } from '../../store/memory-store.ts';
import type { WriteOp } from '../../store/store.ts';

export interface SlowStore {
  readonly store: MemoryStore;
  /** Operations that were handed in and hadn't reached the disk, at most. */
  readonly mostWaiting: () => number;
  /** Ends the slowness. */
  close(): void;
}

const TICK_MS = 5;

export function openSlowStore(perTick: number): SlowStore {
  const store = openMemoryStore();
  const write = store.write.bind(store);
  const queue: { left: number; readonly flushed: () => void }[] = [];
  let waiting = 0;
  let most = 0;
  // Reads see every write at once, as the contract says; only its promise is late.
  store.write = async (ops: readonly WriteOp[]): Promise<void> => {
    const written = write(ops);
    waiting += ops.length;
    most = Math.max(most, waiting);
    await new Promise<void>((flushed) => queue.push({ left: ops.length, flushed }));
    await written;
  };
  const tick = (): void => {
    for (let room = perTick; queue[0] !== undefined; ) {
      const [first] = queue;
      const done = Math.min(room, first.left);
      first.left -= done;
      room -= done;
      waiting -= done;
      if (first.left > 0) return;
      queue.shift();
      first.flushed();
    }
  };
  const timer = setInterval(tick, TICK_MS);
  return {
    store,
    mostWaiting: () => most,
    close() {
      clearInterval(timer);
      for (const { flushed } of queue) flushed();
    },
  };
}
