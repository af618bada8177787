/**
 * What agents are believed to have, by what they were given and what they made: hints, of which one that is wrong costs a fetch. Pure.
 * Bounded for each agent and in all; the oldest go first. Not here: what follows from it (nearness.ts), what an agent really keeps (executors/agent).
 */
import type { Digest } from '../../model/ids.ts';
import type { AgentState } from './agent-state.ts';
import { Ring, type Seated } from './ring.ts';

interface Hint extends Seated<Hint> {
  readonly agent: AgentState;
  readonly digest: Digest;
}

/** In the order of their last use. */
interface Stock {
  readonly hints: Map<Digest, Hint>;
  newest: Digest | undefined;
}

export interface StocksLimits {
  readonly ofAgent: number;
  readonly inAll: number;
}

const NOBODY: ReadonlySet<AgentState> = new Set();

export class Stocks {
  readonly #limits: StocksLimits;
  readonly #stocks = new Map<AgentState, Stock>();
  readonly #holders = new Map<Digest, Set<AgentState>>();
  readonly #ages = new Ring<Hint>();
  #size = 0;

  constructor(limits: StocksLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  has(agent: AgentState, digest: Digest): boolean {
    return this.#stocks.get(agent)?.hints.has(digest) === true;
  }

  /** Who has it, in the order in which they were found to. */
  holders(digest: Digest): ReadonlySet<AgentState> {
    return this.#holders.get(digest) ?? NOBODY;
  }

  /** It has this now. */
  note(agent: AgentState, digest: Digest): void {
    let stock = this.#stocks.get(agent);
    if (stock === undefined) this.#stocks.set(agent, (stock = { hints: new Map(), newest: undefined }));
    // Nearly always: electron after electron of the same code.
    if (stock.newest === digest) return;
    const known = stock.hints.get(digest);
    if (known === undefined) this.#add(stock, { agent, digest, before: undefined, behind: undefined });
    else {
      stock.hints.delete(digest);
      stock.hints.set(digest, known);
      this.#ages.remove(known);
      this.#ages.add(known);
    }
    stock.newest = digest;
  }

  /** It is gone, or began anew. */
  forget(agent: AgentState): void {
    for (const hint of this.#stocks.get(agent)?.hints.values() ?? []) this.#unlink(hint);
    this.#stocks.delete(agent);
  }

  #add(stock: Stock, hint: Hint): void {
    const { agent, digest } = hint;
    stock.hints.set(digest, hint);
    this.#ages.add(hint);
    this.#size++;
    const holders = this.#holders.get(digest);
    if (holders === undefined) this.#holders.set(digest, new Set([agent]));
    else holders.add(agent);
    const [oldest] = stock.hints.size > this.#limits.ofAgent ? stock.hints.values() : [];
    if (oldest !== undefined) this.#remove(oldest);
    if (this.#size > this.#limits.inAll && this.#ages.front !== undefined) this.#remove(this.#ages.front);
  }

  #remove(hint: Hint): void {
    const stock = this.#stocks.get(hint.agent);
    stock?.hints.delete(hint.digest);
    if (stock?.newest === hint.digest) stock.newest = undefined;
    this.#unlink(hint);
  }

  #unlink(hint: Hint): void {
    const { agent, digest } = hint;
    this.#ages.remove(hint);
    this.#size--;
    const holders = this.#holders.get(digest);
    if (holders?.delete(agent) === true && holders.size === 0) this.#holders.delete(digest);
  }
}
