/**
 * How long electrons took lately, so that short ones can be handed over ahead and the queue be sized. Geometric means: one long run among
 * many short ones moves them little. Pure.
 */

/** Weight of the newest duration. */
const ALPHA = 0.2;
/** What handing over a task costs at least, ms: no electron counts as shorter. */
const FLOOR_MS = 0.02;
const KEPT = 10_000;

export class TypicalDuration {
  #log: number | undefined;

  add(ms: number): void {
    const log = Math.log(Math.max(ms, FLOOR_MS));
    this.#log = this.#log === undefined ? log : this.#log + ALPHA * (log - this.#log);
  }

  /** ms; undefined before the first. */
  get ms(): number | undefined {
    return this.#log === undefined ? undefined : Math.exp(this.#log);
  }
}

/** One per electron, by a key of bundle and name; the least recently made are forgotten. */
export class Durations {
  readonly #byKey = new Map<string, TypicalDuration>();

  of(key: string): TypicalDuration {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= KEPT)
      for (const oldest of this.#byKey.keys()) {
        this.#byKey.delete(oldest);
        break;
      }
    const made = new TypicalDuration();
    this.#byKey.set(key, made);
    return made;
  }
}
