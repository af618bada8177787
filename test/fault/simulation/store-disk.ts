/**
 * The hub machine's disk: a memory store whose flushes take time, may fail, and of whose unflushed writes a kill or a power cut leaves any prefix.
 * Not here: what is written.
 */
import { openMemoryStore, type MemoryStore } from '../../../store/memory-store.ts';
import type { RecordKey, Store, WriteOp } from '../../../store/store.ts';
import type { SimProcess } from './machine.ts';
import type { Rng } from './random.ts';
import type { Timeline } from './timeline.ts';

export class StoreDisk {
  readonly #timeline: Timeline;
  readonly #random: Rng;
  #store: MemoryStore = openMemoryStore({ flush: 'manual', history: 'h1' });
  #opened = 0;
  #committing = false;
  /** A flush takes from one to two times as long. */
  flushMs = 1;
  /** The next flush fails. */
  broken = false;
  flushes = 0;
  readonly #listeners: ((ops: readonly WriteOp[]) => void)[] = [];

  constructor(timeline: Timeline, random: Rng) {
    this.#timeline = timeline;
    this.#random = random;
  }

  /** Hears what was just written, and isn't flushed. */
  listen(listener: (ops: readonly WriteOp[]) => void): void {
    this.#listeners.push(listener);
  }

  /** A record as it would be after a power cut now. */
  flushed(key: RecordKey): Uint8Array | undefined {
    return this.#store.flushed(key);
  }

  /** What is on the disk, when nobody writes any more. */
  get content(): MemoryStore {
    return this.#store;
  }

  /** For a process that begins; whoever had it before is cut off, and what it had not flushed is there up to some write. */
  open(process: SimProcess): Store {
    this.#cut();
    const opened = ++this.#opened;
    const store = this.#store;
    const mine = (): boolean => process.alive && opened === this.#opened;
    process.onEnd(() => {
      if (opened === this.#opened) this.#cut();
    });
    return {
      meta: store.meta,
      failed: store.failed,
      write: (ops: readonly WriteOp[]) => {
        const written = store.write(ops);
        if (mine()) {
          this.#commit(store);
          for (const hear of this.#listeners) hear(ops);
        }
        return written;
      },
      get: (key) => store.get(key),
      range: (o) => store.range(o),
      hasValue: (digest) => store.hasValue(digest),
      valueSize: (digest) => store.valueSize(digest),
      smallValue: (digest) => store.smallValue(digest),
      readValue: (digest, offset, length) => store.readValue(digest, offset, length),
      openBlob: (digest, size, o) => store.openBlob(digest, size, o),
      freeBytes: () => store.freeBytes(),
      pin: (digest) => store.pin(digest),
      valueCount: () => store.valueCount(),
      storedValues: () => store.storedValues(),
      dropValues: (digests) => {
        const dropped = store.dropValues(digests);
        if (mine()) this.#commit(store);
        return dropped;
      },
      close: () => {
        if (opened === this.#opened) this.#cut();
        return Promise.resolve();
      },
    };
  }

  #cut(): void {
    this.#committing = false;
    this.#store = this.#store.crash(this.#random.between(0, this.#store.unflushed));
  }

  /** What is written while a commit runs is the next commit. */
  #commit(store: MemoryStore): void {
    if (this.#committing || store.unflushed === 0) return;
    this.#committing = true;
    const writes = store.unflushed;
    this.#timeline.after(this.flushMs * (1 + this.#random.fraction()), () => {
      if (store !== this.#store) return;
      this.#committing = false;
      if (this.broken) {
        this.broken = false;
        store.fail('the disk refused a write');
        return;
      }
      this.flushes++;
      store.flush(writes);
      this.#commit(store);
    });
  }
}
