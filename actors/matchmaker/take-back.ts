/**
 * Takes back what was matched for a dispatch and never sent. A supervisor that crashed can't say what it didn't get to: the electrons that it had matched
 * ask anew, perhaps to get another agent, and those of a dispatch that is over never ask. Not here: what was sent (an agent's sync and its end tell).
 * Costs nothing for agents that had nothing matched since the last look.
 */
import type { DispatchId } from '../../model/ids.ts';
import type { AgentState } from './agent-state.ts';
import type { Assigner } from './assigner.ts';

export class Matched {
  /** May have something that wasn't sent yet. */
  readonly #agents = new Set<AgentState>();

  add(agent: AgentState): void {
    this.#agents.add(agent);
  }

  /**
   * True: there is more room now. A match that is still on its way to the supervisor is refused when it comes back to be sent.
   * What is about to be sent is on record: only a dispatch that is over takes that back, too.
   */
  takeBack(dispatch: DispatchId, assigner: Assigner, over: boolean): boolean {
    let any = false;
    for (const agent of this.#agents) {
      const unsent = agent.unsent(dispatch);
      if (unsent === undefined) this.#agents.delete(agent);
      for (const task of unsent ?? []) {
        if (over) assigner.withdraw(agent, task);
        else if (assigner.isSending(agent, task)) continue;
        any = agent.unreserve(task) || any;
      }
    }
    return any;
  }
}
