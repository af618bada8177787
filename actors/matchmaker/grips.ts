/** What an attempt has taken while it is with its agent: concurrency keys of all agents (keys.ts), and a share of this agent's amounts. Given back together, once. Pure. */
import type { RunEntry } from '../../bus/protocol/agent.ts';
import type { TaskId } from '../../model/ids.ts';
import { takesOfTexts, type AmountLedger, type Takes } from '../../model/amount-ledger.ts';
import type { Keys } from './keys.ts';

export interface Grip {
  free(): void;
}

export class Grips {
  readonly #keys: Keys;
  readonly #ledger: AmountLedger;

  constructor(keys: Keys, ledger: AmountLedger) {
    this.#keys = keys;
    this.#ledger = ledger;
  }

  /** Whether there was room or not: what an agent has, it holds. Undefined: nothing is taken. */
  take(task: TaskId, holds: RunEntry['holds'], takes: Takes | undefined): Grip | undefined {
    const permit = holds === undefined ? undefined : this.#keys.take(task, holds);
    if (takes === undefined) return permit;
    const giveBack = this.#ledger.take(takes);
    return {
      free: () => {
        permit?.free();
        giveBack();
      },
    };
  }

  /** As an agent lists it. */
  listed({ task, holds, takes }: RunEntry): Grip | undefined {
    return this.take(task, holds, takes === undefined ? undefined : takesOfTexts(takes));
  }
}

/** It has taken something, and hasn't given it back. */
export const grips = ({ holds, takes, state }: RunEntry): boolean =>
  (holds !== undefined || takes !== undefined) && state !== 'done';
