/** Asks electron actors and dispatches of lattices inside to stop, so many in a turn: each of them answers, and a hundred thousand answers at once would be over a mailbox's bound. */
import { taskIdOf, type DispatchId } from '../../model/ids.ts';
import type { ActorSystem, Address } from '../system.ts';
import type { Effect } from './effects.ts';

type Stop = Extract<Effect, { type: 'cancel' | 'leave' }>;

const MOST_PER_TURN = 10_000;

export class Stops {
  readonly #system: ActorSystem;
  readonly #supervisor: Address;
  readonly #dispatch: DispatchId;
  readonly #leave: (node: number, reason: string) => void;
  #waiting: Stop[] = [];
  #going = false;

  constructor(
    system: ActorSystem,
    supervisor: Address,
    dispatch: DispatchId,
    leave: (node: number, reason: string) => void,
  ) {
    this.#system = system;
    this.#supervisor = supervisor;
    this.#dispatch = dispatch;
    this.#leave = leave;
  }

  add(stop: Stop): void {
    this.#waiting.push(stop);
  }

  /** Stops some; what is left goes on when the supervisor has handled what these say. `turn`: it is the supervisor's `lattice.continue`. */
  go(turn = false): void {
    if (this.#waiting.length === 0 || (this.#going && !turn)) {
      if (turn) this.#going = false;
      return;
    }
    const some = this.#waiting.splice(0, MOST_PER_TURN);
    for (const { type, node, reason } of some) {
      if (type === 'leave') {
        this.#leave(node, reason);
        continue;
      }
      const to = this.#system.address('electron', taskIdOf(this.#dispatch, node));
      this.#system.send(to, { type: 'electron.cancel', reason }, this.#supervisor);
    }
    this.#going = this.#waiting.length > 0;
    if (this.#going) this.#system.send(this.#supervisor, { type: 'lattice.continue' }, this.#supervisor);
  }
}
