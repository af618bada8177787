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

/** One per electron, by bundle and name; when there are too many, those of the oldest bundle are forgotten. */
export class Durations {
  readonly #byCode = new Map<string, Map<string, TypicalDuration>>();
  #size = 0;

  of(code: string, electron: string): TypicalDuration {
    let byName = this.#byCode.get(code);
    if (byName === undefined) this.#byCode.set(code, (byName = new Map<string, TypicalDuration>()));
    const known = byName.get(electron);
    if (known !== undefined) return known;
    const made = new TypicalDuration();
    byName.set(electron, made);
    if (++this.#size > KEPT) this.#forgetOldest();
    return made;
  }

  #forgetOldest(): void {
    for (const [code, byName] of this.#byCode) {
      this.#byCode.delete(code);
      this.#size -= byName.size;
      return;
    }
  }
}
