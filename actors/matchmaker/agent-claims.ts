/**
 * Attempts that an agent lists and of which the hub has no record: an earlier life of the hub gave them out, and was killed before that was on disk.
 * Each is a claim until its dispatch has decided: adopted (then the agent holds it like any other) or refused (then it is dropped). Pure.
 */
import type { RunEntry } from '../../bus/protocol/agent.ts';
import { parseTaskId, type DispatchId, type TaskId } from '../../model/ids.ts';
import { sameToken, type Token } from '../../model/outcome.ts';

interface Claim {
  readonly entry: RunEntry;
  readonly state: 'open' | 'refused' | 'dropped';
  /** It has ended, and takes no slot. */
  readonly done: boolean;
}

export class AgentClaims {
  readonly #claims = new Map<TaskId, Claim>();
  #taken = 0;

  /** Slots that claims take: a refused one until its drop is told. */
  get taken(): number {
    return this.#taken;
  }

  /** The agent lists it. `ask`: nobody has decided yet. */
  listed(entry: RunEntry): 'ask' | 'drop' {
    const { task, token } = entry;
    const known = this.#of(task, token);
    const open = known === undefined || known.state === 'open';
    const done = known?.done === true || entry.state === 'done';
    this.#put(task, { entry, state: open ? 'open' : 'dropped', done });
    return open ? 'ask' : 'drop';
  }

  /** Those of a dispatch that nobody has decided: its supervisor may have crashed and forgotten them. */
  open(dispatch: DispatchId): readonly RunEntry[] {
    if (this.#claims.size === 0) return []; // nearly always
    return [...this.#claims.values()]
      .filter(({ state, entry }) => state === 'open' && parseTaskId(entry.task).dispatch === dispatch)
      .map(({ entry }) => entry);
  }

  /** Forgets those that a sync doesn't list any more. */
  keep(listed: ReadonlySet<TaskId>): void {
    for (const task of this.#claims.keys()) if (!listed.has(task)) this.#put(task, undefined);
  }

  /** Its end was reported. */
  finish(task: TaskId, token: Token): void {
    const claim = this.#of(task, token);
    if (claim !== undefined) this.#put(task, { ...claim, done: true });
  }

  /** It is an attempt like any other now. True: one that has ended. */
  adopted(task: TaskId, token: Token): boolean {
    const claim = this.#of(task, token);
    if (claim !== undefined) this.#put(task, undefined);
    return claim?.done === true;
  }

  refused(task: TaskId, token: Token): void {
    const claim = this.#of(task, token);
    if (claim?.state === 'open') this.#put(task, { ...claim, state: 'refused' });
  }

  clear(): void {
    this.#claims.clear();
    this.#taken = 0;
  }

  #of(task: TaskId, token: Token): Claim | undefined {
    const claim = this.#claims.get(task);
    return claim !== undefined && sameToken(claim.entry.token, token) ? claim : undefined;
  }

  #put(task: TaskId, claim: Claim | undefined): void {
    this.#taken += slotsOf(claim) - slotsOf(this.#claims.get(task));
    if (claim === undefined) this.#claims.delete(task);
    else this.#claims.set(task, claim);
  }
}

const slotsOf = (claim: Claim | undefined): number =>
  claim === undefined || claim.done || claim.state === 'dropped' ? 0 : 1;
