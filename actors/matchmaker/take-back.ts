/**
 * Takes back what was matched for a dispatch and never sent. A supervisor that crashed can't say what it didn't get to: the electrons that it had matched
 * ask anew, perhaps to get another agent, and those of a dispatch that is over never ask. Not here: what was sent (an agent's sync and its end tell).
 */
import type { DispatchId } from '../../model/ids.ts';
import type { AgentState } from './agent-state.ts';
import type { Assigner } from './assigner.ts';

/** True: there is more room now. A match that is still on its way to the supervisor is refused when it comes back to be sent. */
export function takeBack(dispatch: DispatchId, agents: Iterable<AgentState>, assigner: Assigner): boolean {
  let any = false;
  for (const agent of agents)
    for (const task of agent.unsent(dispatch)) {
      assigner.withdraw(agent, task);
      any = agent.unreserve(task) || any;
    }
  return any;
}
