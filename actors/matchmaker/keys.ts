/**
 * Who holds which key: an electron with a concurrency key holds it from its match until its outcome came or its attempt is known to be over, and an exclusive one
 * holds a key of its own besides. Nothing of this is stored: after a restart of the hub the agents' syncs tell it. Pure. Not here: who waits for a key (queues.ts).
 *
 * K1. While somebody holds a key, no more hold it than the lowest of their limits.
 * K2. While the keys are closed nobody gets one: after a restart, until all agents have told what they have.
 */
import type { KeyHold } from '../../bus/protocol/agent.ts';
import type { TaskId } from '../../model/ids.ts';

const MOST_IDLE = 1_000;

interface Holders {
  readonly permits: Set<Permit>;
  /** How many of them have this limit. */
  readonly limits: Map<number, number>;
}

export class Permit {
  readonly task: TaskId;
  readonly holds: readonly KeyHold[];
  readonly #free: (permit: Permit) => void;
  #freed = false;

  constructor(task: TaskId, holds: readonly KeyHold[], free: (permit: Permit) => void) {
    this.task = task;
    this.holds = holds;
    this.#free = free;
  }

  /** Gives the keys back, once. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#free(this);
  }
}

export class Keys {
  readonly #held = new Map<string, Holders>();
  readonly #onFree: (key: string) => void;
  /** Of these keys nobody holds any. A key that comes and goes stays in the map: taken out and put in again it would cost more each time. */
  #idle = 0;
  closed = false;

  /** `onFree`: somebody gave this key back. */
  constructor(onFree: (key: string) => void) {
    this.#onFree = onFree;
  }

  /** How many electrons with this limit may take the key now. */
  room({ key, limit }: KeyHold): number {
    if (this.closed) return 0;
    const holders = this.#held.get(key);
    let lowest = limit;
    for (const other of holders?.limits.keys() ?? []) lowest = Math.min(lowest, other);
    return Math.max(0, lowest - (holders?.permits.size ?? 0));
  }

  /** Whether there was room or not: what an agent has, it holds. */
  take(task: TaskId, holds: readonly KeyHold[]): Permit {
    const permit = new Permit(task, holds, this.#given);
    for (const { key, limit } of holds) {
      let holders = this.#held.get(key);
      if (holders === undefined) this.#held.set(key, (holders = { permits: new Set(), limits: new Map() }));
      else if (holders.permits.size === 0) this.#idle--;
      holders.permits.add(permit);
      holders.limits.set(limit, (holders.limits.get(limit) ?? 0) + 1);
    }
    return permit;
  }

  /** Who holds it. */
  holders(key: string): readonly TaskId[] {
    return [...(this.#held.get(key)?.permits ?? [])].map(({ task }) => task);
  }

  #tidy(): void {
    for (const [key, { permits }] of this.#held) if (permits.size === 0) this.#held.delete(key);
    this.#idle = 0;
  }

  readonly #given = (permit: Permit): void => {
    for (const { key, limit } of permit.holds) {
      const holders = this.#held.get(key);
      if (holders === undefined) continue;
      holders.permits.delete(permit);
      const left = (holders.limits.get(limit) ?? 1) - 1;
      if (left > 0) holders.limits.set(limit, left);
      else holders.limits.delete(limit);
      if (holders.permits.size === 0 && ++this.#idle > MOST_IDLE + this.#held.size / 2) this.#tidy();
      this.#onFree(key);
    }
  };
}
