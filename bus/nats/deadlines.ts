/**
 * Many deadlines on one timer: requests come and go by the ten thousand a second, and nearly all are answered long before theirs.
 * Granularity: 10 ms, never early. Not here: what happens to a request (requests.ts).
 */
const TICK_MS = 10;

export class Deadlines<T> {
  readonly #expired: (item: T) => void;
  readonly #ticks = new Map<number, Set<T>>();
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;

  constructor(expired: (item: T) => void) {
    this.#expired = expired;
  }

  /** Returns the tick that `remove` needs. */
  add(item: T, delayMs: number): number {
    const tick = Math.ceil((performance.now() + delayMs) / TICK_MS);
    const items = this.#ticks.get(tick);
    if (items === undefined) this.#ticks.set(tick, new Set([item]));
    else items.add(item);
    if (tick < this.#armedFor) this.#arm(tick);
    return tick;
  }

  remove(item: T, tick: number): void {
    const items = this.#ticks.get(tick);
    if (items === undefined) return;
    items.delete(item);
    if (items.size === 0) this.#ticks.delete(tick);
  }

  clear(): void {
    this.#ticks.clear();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedFor = Infinity;
  }

  #arm(tick: number): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#armedFor = tick;
    const delay = Math.min(Math.max(0, Math.ceil(tick * TICK_MS - performance.now())), 2_147_483_647);
    // What waits keeps the connection referenced; the timer need not keep the process alive as well.
    this.#timer = setTimeout(() => this.#sweep(), delay).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    this.#armedFor = Infinity;
    const now = performance.now() / TICK_MS;
    let next = Infinity;
    for (const [tick, items] of this.#ticks) {
      if (tick <= now) {
        this.#ticks.delete(tick);
        for (const item of items) this.#expired(item);
      } else if (tick < next) {
        next = tick;
      }
    }
    if (next < this.#armedFor) this.#arm(next);
  }
}
