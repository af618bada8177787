/**
 * Sizes of values that were asked for lately. Every dispatch names its bundle, and looking that up reads it whole;
 * a value that is there stays there for an hour at least (a look-up pins it), so an answer of a minute ago still holds.
 */
import type { Digest } from '../../model/ids.ts';
import type { Store } from '../../store/store.ts';

const HOLDS_MS = 60_000;
const MOST = 1_024;

export class KnownSizes {
  readonly #store: Store;
  readonly #monotonic: () => number;
  readonly #known = new Map<Digest, { readonly size: number; readonly until: number }>();

  constructor(store: Store, monotonic: () => number) {
    this.#store = store;
    this.#monotonic = monotonic;
  }

  /** Bytes, or undefined when it isn't stored (that is never remembered). */
  of(digest: Digest): number | undefined {
    const now = this.#monotonic();
    const known = this.#known.get(digest);
    if (known !== undefined && known.until > now) return known.size;
    const size = this.#store.hasValue(digest) ? this.#store.valueSize(digest) : undefined;
    if (size === undefined) return undefined;
    if (this.#known.size >= MOST) this.#known.clear();
    this.#known.set(digest, { size, until: now + HOLDS_MS });
    return size;
  }
}
