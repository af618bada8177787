/** Lets so many through at once; the rest wait in order: what one event begins by the thousands doesn't flood who has to answer. */
export class Turnstile {
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #head = 0;
  #inside = 0;

  constructor(width: number) {
    this.#width = width;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#width) this.#inside++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** The place goes to the next in line. */
  #leave(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#inside--;
      return;
    }
    if (++this.#head === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#head = 0;
    }
    next();
  }
}
