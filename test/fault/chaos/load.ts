/** Dispatches lattices with known answers, a few at a time, and keeps what became of those whose id came back. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'polaron';
import type { Dispatched, Outcome } from './account.ts';
import { order, type Ordered } from './kinds.ts';
import type { Random } from './random.ts';

const LANES = 5;
/** For what has ended before. */
const LATER_MS = 20_000;

export class Load {
  readonly dispatched: Dispatched[] = [];
  /** Codes of dispatches and cancels that were refused: the hub was away for too long, or had no room. */
  readonly refused: string[] = [];
  readonly #client: Client;
  readonly #random: Random;
  readonly #notes: string;
  readonly #order: (random: Random, notes: string) => Ordered;
  readonly #giveUp = new AbortController();
  readonly #lanes: Promise<void>[];
  #stopped = false;

  constructor(client: Client, random: Random, notes: string, what = order) {
    this.#client = client;
    this.#random = random;
    this.#notes = notes;
    this.#order = what;
    this.#lanes = Array.from({ length: LANES }, () => this.#lane());
  }

  /** Nothing new; resolves when what was accepted has ended, or `quietMs` are over; 0: all is given up. A second call does nothing. */
  async stop(quietMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const patience = setTimeout(() => this.#giveUp.abort(), quietMs);
    // a dispatch without a hub ends by its own patience
    await Promise.all(this.#lanes);
    clearTimeout(patience);
    if (quietMs === 0) return;
    for (const one of this.dispatched)
      if (one.outcome !== undefined) one.later = await this.#outcome(one.id, AbortSignal.timeout(LATER_MS));
  }

  async #lane(): Promise<void> {
    while (!this.#stopped) {
      const ordered = this.#order(this.#random, this.#notes);
      const id = await ordered.send(this.#client).catch((error: unknown) => {
        this.refused.push(codeOf(error));
      });
      if (id === undefined) {
        await sleep(100);
        continue;
      }
      const one: Dispatched = { id, ordered };
      this.dispatched.push(one);
      const cancelling = ordered.cancelAfterMs === undefined ? undefined : this.#cancel(one, ordered.cancelAfterMs);
      await Promise.all([this.#end(one), cancelling]);
    }
  }

  /** However long the hub is away. */
  async #end(one: Dispatched): Promise<void> {
    while (one.outcome === undefined && !this.#giveUp.signal.aborted) {
      one.outcome = await this.#outcome(one.id, this.#giveUp.signal).catch((error: unknown) =>
        this.#giveUp.signal.aborted || codeOf(error) === 'NO_HUB' ? undefined : { status: codeOf(error) },
      );
    }
  }

  async #cancel(one: Dispatched, afterMs: number): Promise<void> {
    await sleep(afterMs);
    try {
      const { unconfirmed } = await this.#client.cancel(one.id);
      one.cancel = { at: Date.now(), unconfirmed };
    } catch (error) {
      this.refused.push(codeOf(error));
    }
  }

  async #outcome(id: string, signal: AbortSignal): Promise<Outcome> {
    const result = await this.#client.getResult(id, { wait: true, signal });
    if (result.status === 'failed')
      return { status: 'failed', errors: result.errors.map(({ node, code, message }) => `${node} ${code} ${message}`) };
    return result.status === 'completed'
      ? { status: 'completed', value: marked(result.value) }
      : { status: result.status };
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** Raises RangeError for a value that no lattice of ours has. */
function marked(value: unknown): NonNullable<Outcome['value']> {
  if (typeof value !== 'object' || value === null || !('value' in value) || !('marks' in value))
    throw new RangeError(`not a marked value: ${JSON.stringify(value)}`);
  if (!Array.isArray(value.marks)) throw new RangeError(`no marks: ${JSON.stringify(value)}`);
  return { value: Number(value.value), marks: value.marks.map(String) };
}
