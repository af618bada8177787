/**
 * The agents with a record, which a restarted hub waits for: what was ready in dispatches from before until each has told what it has, at most 1.5 leases (M3, H8);
 * what needs a key until each has also heard of this life of the hub (K2). Not here: what they told (agent-state.ts).
 */
import type { RosterEntry } from '../../bus/protocol/results.ts';
import type { AgentKey } from '../../model/ids.ts';
import { FORGET_MS, type AgentState } from './agent-state.ts';
import { HeldRequests, type MatchRequest } from './held-requests.ts';
import type { Keys } from './keys.ts';

/** Lost a day ago, by the wall clock: it was in an earlier life of the hub. One from before this was recorded is given a day from now. */
export const longLost = (
  agents: ReadonlyMap<AgentKey, AgentState>,
  roster: readonly RosterEntry[],
  wall: number,
): readonly AgentState[] =>
  roster.flatMap(({ agent: key, lostAt = 0 }) => {
    const agent = lostAt > 0 && wall - lostAt > FORGET_MS ? agents.get(key) : undefined;
    return agent === undefined ? [] : [agent];
  });

/** Lost at a time that isn't known, or hasn't come yet: without one of their own each life of the hub would give them another day. */
export const undated = (roster: readonly RosterEntry[], wall: number): readonly RosterEntry[] =>
  roster.flatMap((entry) => (entry.lostAt === 0 || (entry.lostAt ?? 0) > wall ? [{ ...entry, lostAt: wall }] : []));

export class Roster {
  readonly held = new HeldRequests();
  readonly #agents: ReadonlyMap<AgentKey, AgentState>;
  readonly #keys: Keys;
  readonly #recorded = new Set<AgentKey>();
  /** They had time enough to be heard. */
  #overdue = false;

  constructor(agents: ReadonlyMap<AgentKey, AgentState>, keys: Keys) {
    this.#agents = agents;
    this.#keys = keys;
  }

  load(roster: readonly RosterEntry[]): void {
    for (const { agent, lostAt } of roster) if (lostAt === undefined) this.#recorded.add(agent);
    if (this.#recorded.size === 0) return;
    this.held.begin();
    this.#keys.closed = true;
  }

  joined(agent: AgentKey): void {
    this.#recorded.add(agent);
  }

  /** True: it was waited for, and is no more. */
  lost(agent: AgentKey): boolean {
    return this.#recorded.delete(agent);
  }

  /** The time to be heard is over: what was held may go. */
  overdue(): readonly MatchRequest[] {
    this.#overdue = true;
    return this.held.release();
  }

  /** What was held, if all have told by now what they have; undefined: nothing is held, or not all have. */
  told(): readonly MatchRequest[] | undefined {
    return this.held.holding && this.#all((agent) => agent.synced) ? this.held.release() : undefined;
  }

  /** True: the keys are open from now on. What an earlier life of the hub sent may still come to an agent that has not heard of this one. */
  opens(hub: number): boolean {
    const strictly = !this.#overdue;
    if (!this.#keys.closed || !this.#all((agent) => agent.knows(hub, strictly))) return false;
    this.#keys.closed = false;
    return true;
  }

  #all(is: (agent: AgentState) => boolean): boolean {
    for (const key of this.#recorded) {
      const agent = this.#agents.get(key);
      if (agent === undefined || !is(agent)) return false;
    }
    return true;
  }
}
