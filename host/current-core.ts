/**
 * The hub's actors of the moment. Those that were dropped while they began are stopped as soon as they stand: they would answer beside the next ones.
 * Not here: when they are dropped, and begin again (recovery.ts).
 */
import type { HubCore } from './hub-core.ts';

export class CurrentCore {
  #core: HubCore | undefined;
  /** Counts beginnings and drops. */
  #life = 0;

  /** False when it was dropped meanwhile. Rejects as `start` does. */
  async begin(start: () => Promise<HubCore>): Promise<boolean> {
    const mine = ++this.#life;
    const begun = await start();
    if (mine !== this.#life) {
      begun.stop();
      return false;
    }
    this.#core = begun;
    return true;
  }

  /** Stops what is there, and what is on its way. */
  drop(): void {
    this.#life++;
    this.#core?.stop();
    this.#core = undefined;
  }
}
