/**
 * What a round matched, on its way to the supervisors. What went to one agent stays together, so that it travels in one message and not in one for each turn that it came from:
 * with a thousand agents that is most of what they cost. Not here: who gets what (pairing.ts), and what an agent's room is (agent-state.ts).
 *
 * In each agent's own order. Agents take turns of `ROW` electrons, so that none waits for all that another was given.
 */
import type { DispatchId } from '../../model/ids.ts';
import type { AgentState } from './agent-state.ts';

const ROW = 64;

interface Run {
  readonly dispatch: DispatchId;
  readonly nodes: number[];
}

interface Given {
  /** Electrons so far, and those in `runs`, which are the last of them. */
  count: number;
  runs: Run[];
}

export class Matches {
  readonly #agents = new Map<AgentState, Given>();
  readonly #rows: Map<AgentState, readonly Run[]>[] = [];

  add(agent: AgentState, dispatch: DispatchId, nodes: readonly number[]): void {
    let given = this.#agents.get(agent);
    if (given === undefined) this.#agents.set(agent, (given = { count: 0, runs: [] }));
    for (const node of nodes) {
      if (given.count % ROW === 0) this.#row(Math.floor(given.count / ROW)).set(agent, (given.runs = []));
      given.count++;
      const last = given.runs.at(-1);
      if (last?.dispatch === dispatch) last.nodes.push(node);
      else given.runs.push({ dispatch, nodes: [node] });
    }
  }

  /** All that was added, once. */
  take(tell: (agent: AgentState, dispatch: DispatchId, nodes: readonly number[]) => void): void {
    for (const row of this.#rows)
      for (const [agent, runs] of row) for (const { dispatch, nodes } of runs) tell(agent, dispatch, nodes);
    this.#rows.length = 0;
    this.#agents.clear();
  }

  #row(index: number): Map<AgentState, readonly Run[]> {
    const known = this.#rows[index];
    if (known !== undefined) return known;
    const row = new Map<AgentState, readonly Run[]>();
    this.#rows[index] = row;
    return row;
  }
}
