/**
 * In a strict lattice nothing starts that rests on records which aren't on disk. An electron's actor tells its end only after the flush; what the supervisor
 * records itself (a map's end), or has loaded after a crash, may be newer than the disk: then what became ready waits here.
 */
import type { ResultsClient } from '../results-client.ts';

export class StrictGate {
  readonly #results: ResultsClient;
  readonly #strict: boolean;
  #unflushed = 0;

  constructor(results: ResultsClient, strict: boolean) {
    this.#results = results;
    this.#strict = strict;
  }

  /** What becomes ready from now on may rest on something unflushed. */
  recorded(): void {
    if (!this.#strict) return;
    this.#unflushed++;
    this.#results.afterFlush(() => this.#unflushed--);
  }

  /** At once, or when all so far is on disk. */
  pass(start: (waited: boolean) => void): void {
    if (this.#unflushed === 0) start(false);
    else this.#results.afterFlush(() => start(true));
  }
}
