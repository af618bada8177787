/** Whether what agents offer can be read. Every sync says all of it again, and nearly always the same: what was read once isn't read again. Pure. */
import { unreadableOffer } from '../../model/capability.ts';

/** More texts than the agents of one hub have in common. */
const MOST_KNOWN = 10_000;

export class ReadOffers {
  readonly #known = new Set<string>();

  /** The first that can't be read. */
  unreadable(offers: readonly string[]): ReturnType<typeof unreadableOffer> {
    const unknown = offers.filter((text) => !this.#known.has(text));
    if (unknown.length === 0) return undefined;
    const wrong = unreadableOffer(unknown);
    if (wrong !== undefined) return wrong;
    if (this.#known.size + unknown.length > MOST_KNOWN) this.#known.clear();
    for (const text of unknown) this.#known.add(text);
    return undefined;
  }
}
