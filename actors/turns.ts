/** Work of which one event may begin a hundred thousand at once: so much goes on at a time, the rest follows in order. Not here: what it is. */

/** Each is some messages in mailboxes, which hold 100,000. */
const MOST_AT_ONCE = 2_048;

export class Turns {
  readonly #most: number;
  /** Those before `#head` have begun. */
  #waiting: (() => void)[] = [];
  #head = 0;
  #going = 0;

  constructor(most = MOST_AT_ONCE) {
    this.#most = most;
  }

  /** Begins it when fewer than the most go on, in the order of the calls. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#going < this.#most) this.#going++;
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** Its place goes to the next one. */
  #next(): void {
    const begin = this.#waiting[this.#head];
    if (begin === undefined) {
      this.#waiting = [];
      this.#head = 0;
      this.#going--;
      return;
    }
    this.#head++;
    if (2 * this.#head > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    begin();
  }
}
