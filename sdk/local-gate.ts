/** Lets at most so many things run at once, in the order in which they came. */
export class LocalGate {
  #free: number;
  readonly #queue: (() => void)[] = [];

  /** 0: no limit. */
  constructor(limit: number) {
    this.#free = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  async run<T>(body: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await body();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
