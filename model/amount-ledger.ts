/** How much of an agent's amounts is taken: each electron with `memory>=32GiB` takes 32 GiB while it is there. Pure. Hub and agent keep one each. */
import { needFrom, type Amount, type Need } from './capability.ts';

/** What one attempt takes, by name; of several needs of one name the largest. */
export type Takes = ReadonlyMap<string, Amount>;

/** Undefined: it takes nothing. */
export function takesOf(needs: readonly Need[]): Takes | undefined {
  let takes: Map<string, Amount> | undefined;
  for (const need of needs) {
    if (need.kind !== 'amount') continue;
    takes ??= new Map();
    const before = takes.get(need.name);
    if (before === undefined || before.milli < need.least.milli) takes.set(need.name, need.least);
  }
  return takes;
}

/** Of needs as they are written. */
export const takesOfTexts = (needs: readonly string[]): Takes | undefined =>
  needs.some((need) => need.includes('>=')) ? takesOf(needs.map(needFrom)) : undefined;

export class AmountLedger {
  #has: ReadonlyMap<string, Amount>;
  readonly #used = new Map<string, bigint>();

  constructor(has: ReadonlyMap<string, Amount> = new Map()) {
    this.#has = has;
  }

  /** What is taken stays taken. */
  offer(has: ReadonlyMap<string, Amount>): void {
    this.#has = has;
  }

  /** How many that take as much fit in, at most `most`. */
  room(takes: Takes, most: number): number {
    let room = most;
    for (const [name, { of, milli }] of takes) {
      const has = this.#has.get(name);
      if (has === undefined || has.of !== of) return 0;
      const left = has.milli - (this.#used.get(name) ?? 0n);
      if (left < milli) return 0;
      if (left < milli * BigInt(room)) room = Number(left / milli);
    }
    return room;
  }

  /** Whether there is room or not: what runs, takes it. Returns how to give it back, once. */
  take(takes: Takes): () => void {
    this.#add(takes, 1n);
    let taken = true;
    return () => {
      if (taken) this.#add(takes, -1n);
      taken = false;
    };
  }

  /** Of an amount: what there is, and what is taken. Undefined: there is none. */
  state(name: string): { readonly has: Amount; readonly used: Amount } | undefined {
    const has = this.#has.get(name);
    return has === undefined ? undefined : { has, used: { of: has.of, milli: this.#used.get(name) ?? 0n } };
  }

  #add(takes: Takes, sign: bigint): void {
    for (const [name, { milli }] of takes) {
      const used = (this.#used.get(name) ?? 0n) + sign * milli;
      if (used === 0n) this.#used.delete(name);
      else this.#used.set(name, used);
    }
  }
}
