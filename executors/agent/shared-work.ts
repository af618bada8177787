/** Work that several wait for is done once, by the first that asks for it. Not here: what it is. */
import { PolaronError } from '../../model/errors.ts';

export class SharedWork<Key, T> {
  readonly #running = new Map<Key, Promise<T>>();

  /** One that gives up must not take it from the others: the work has its first one's signal, and when that ends it the next one begins anew. */
  async run(key: Key, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running === undefined) {
      const mine = work().finally(() => this.#running.delete(key));
      this.#running.set(key, mine);
      return mine;
    }
    try {
      return await running;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PolaronError) throw error;
      return this.run(key, signal, work);
    }
  }
}
