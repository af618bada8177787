/** How much of an agent's amounts is taken: each electron with `memory>=32GiB` takes 32 GiB while it is there. Pure. Hub and agent keep one each. */
import { needFrom, type Amount, type Need } from './capability.ts';

/** What one attempt takes: each name once, of several needs of one name the largest. */
export type Takes = readonly (Amount & { readonly name: string })[];

/** Undefined: it takes nothing. */
export function takesOf(needs: readonly Need[]): Takes | undefined {
  const takes = new Map<string, Takes[number]>();
  for (const need of needs) {
    if (need.kind !== 'amount') continue;
    const { name, least } = need;
    const before = takes.get(name);
    if (before === undefined || before.milli < least.milli) takes.set(name, { name, ...least });
  }
  return takes.size === 0 ? undefined : [...takes.values()];
}

/** Of needs as they are written. */
export const takesOfTexts = (needs: readonly string[]): Takes | undefined =>
  needs.some((need) => need.includes('>=')) ? takesOf(needs.map(needFrom)) : undefined;

interface Entry {
  /** Undefined: it isn't offered (any more), and taken all the same. */
  has: Amount | undefined;
  used: bigint;
  /** What is not taken; below 0 when less is offered than before. */
  left: bigint;
}

export class AmountLedger {
  readonly #entries = new Map<string, Entry>();
  /** Grows with each change. */
  version = 0;

  constructor(has: ReadonlyMap<string, Amount> = new Map()) {
    this.offer(has);
  }

  /** What is taken stays taken. */
  offer(has: ReadonlyMap<string, Amount>): void {
    for (const entry of this.#entries.values()) entry.has = undefined;
    for (const [name, amount] of has) {
      const entry = this.#entry(name);
      entry.has = amount;
      entry.left = amount.milli - entry.used;
    }
    this.version++;
    for (const [name, entry] of this.#entries)
      if (entry.has === undefined && entry.used === 0n) this.#entries.delete(name);
  }

  /** How many that take as much fit in, at most `most`. */
  room(takes: Takes, most: number): number {
    let room = most;
    for (const { name, of, milli } of takes) {
      const entry = this.#entries.get(name);
      if (entry === undefined || entry.has?.of !== of || entry.left < milli) return 0;
      if (room > 1 && entry.left < milli * BigInt(room)) room = Number(entry.left / milli);
    }
    return room;
  }

  /** Whether there is room or not: what runs, takes it. Returns how to give it back, once. */
  take(takes: Takes): () => void {
    for (const { name, milli } of takes) this.#use(name, milli);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      for (const { name, milli } of takes) this.#use(name, -milli);
    };
  }

  /** Of an amount: what there is, and what is taken. Undefined: there is none. */
  state(name: string): { readonly has: Amount; readonly used: Amount } | undefined {
    const { has, used = 0n } = this.#entries.get(name) ?? {};
    return has === undefined ? undefined : { has, used: { of: has.of, milli: used } };
  }

  #use(name: string, milli: bigint): void {
    const entry = this.#entry(name);
    entry.used += milli;
    entry.left -= milli;
    this.version++;
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) this.#entries.set(name, (entry = { has: undefined, used: 0n, left: 0n }));
    return entry;
  }
}
