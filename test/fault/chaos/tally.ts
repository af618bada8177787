/** Adds up what rounds did. */
import type { Blow } from './account.ts';
import type { Round } from './round.ts';

const entries = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} ${count}`).join(', ');

export class Tally {
  violations = 0;
  readonly #strikes = new Map<string, number>();
  readonly #repeats = new Map<string, number>();
  #hits = 0;
  #dispatches = 0;
  #executions = 0;
  #events = 0;

  add({ account, verdict }: Round): void {
    this.violations += verdict.violations.length;
    for (const { role, how } of account.blows) bump(this.#strikes, `${role} ${how}`, 1);
    for (const [cause, count] of Object.entries(verdict.repeats)) bump(this.#repeats, cause, count);
    this.#hits += hits(account.blows);
    this.#dispatches += account.dispatched.length;
    this.#executions += account.executions.length;
    this.#events += account.events.length;
  }

  static line({ account, verdict, refused }: Round): string {
    const repeated = Object.values(verdict.repeats).reduce((sum, count) => sum + count, 0);
    const { dispatched, executions, blows } = account;
    return `${dispatched.length} dispatches, ${executions.length} executions (${repeated} again), ${hits(blows)} of ${blows.length} strikes hit running ones, ${refused.length} refused, ${verdict.violations.length} broken`;
  }

  summary(): string {
    const strikes = [...this.#strikes.values()].reduce((sum, count) => sum + count, 0);
    const verdict = this.violations === 0 ? 'every promise was held' : `${this.violations} promises BROKEN`;
    return `chaos: ${strikes} strikes (${entries(this.#strikes)}), ${this.#hits} hit running electrons; ${this.#dispatches} dispatches, ${this.#executions} executions, ${this.#events} events; again because: ${entries(this.#repeats)}; ${verdict}`;
  }
}

const hits = (blows: readonly Blow[]): number => blows.filter(({ running }) => running > 0).length;

const bump = (counts: Map<string, number>, name: string, by: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + by);
};
