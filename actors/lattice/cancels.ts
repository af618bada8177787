/** Cancels under way: each is answered when all its nodes are known to have stopped, and that is on disk. */
import type { LatticeState } from './state.ts';
import { isTerminalElectron } from '../../model/lifecycle.ts';

export interface CancelResult {
  readonly cancelled: readonly string[];
  /** Their agent never confirmed: its lease ended instead. */
  readonly unconfirmed: readonly string[];
}

interface Waiter {
  readonly open: Set<number>;
  readonly nodes: readonly number[];
  readonly unconfirmed: string[];
  readonly resolve: (result: CancelResult) => void;
}

export class Cancels {
  readonly #waiters: Waiter[] = [];

  add(state: LatticeState, nodes: readonly number[], resolve: (result: CancelResult) => void): void {
    const open = new Set(nodes.filter((node) => !isTerminalElectron(state.status(node))));
    this.#waiters.push({ open, nodes, unconfirmed: [], resolve });
  }

  unconfirmed(node: number, name: string): void {
    for (const waiter of this.#waiters) if (waiter.open.has(node)) waiter.unconfirmed.push(name);
  }

  /** Answers those that are over; `afterFlush` calls back when their records are on disk. */
  settle(state: LatticeState, afterFlush: (callback: () => void) => void): void {
    if (this.#waiters.length === 0) return;
    for (const waiter of [...this.#waiters]) {
      // As far as the first that hasn't ended: this is asked after each end, and there may be a hundred thousand.
      for (const node of waiter.open) {
        if (!isTerminalElectron(state.status(node))) break;
        waiter.open.delete(node);
      }
      if (waiter.open.size > 0) continue;
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      const cancelled = waiter.nodes
        .filter((node) => state.status(node) === 'cancelled')
        .map((node) => state.plan.nameOf(node));
      afterFlush(() => waiter.resolve({ cancelled, unconfirmed: waiter.unconfirmed }));
    }
  }
}
