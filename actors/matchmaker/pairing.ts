/** Gives what waits to agents that have room. Not here: whose turn it is (queues.ts), what an agent has room for (agent-state.ts). */
import type { Takes } from '../../model/amount-ledger.ts';
import type { AgentState } from './agent-state.ts';
import type { ReadyQueues, Taken } from './queues.ts';

/** These nodes go to this agent. Its room, what they take of its amounts and their keys must be taken for them. */
export type Found = (agent: AgentState, taken: Taken, takes: Takes | undefined) => void;

/** First the free slots, then places in the agents' queues; of both each class has its turn before another has the next. What takes amounts gets free slots only. */
export function pair(queues: ReadyQueues, agents: Iterable<AgentState>, at: number, found: Found): void {
  const able = new Map<string, readonly AgentState[]>();
  for (const room of ['free', 'total'] as const) {
    const stuck = new Set<string>();
    for (let next = queues.next(stuck); next !== undefined; next = queues.next(stuck)) {
      const { key } = next.requirement;
      const { needs, takes } = next.asks;
      if (takes !== undefined && room === 'total') {
        stuck.add(key);
        continue;
      }
      let offering = able.get(key);
      if (offering === undefined) able.set(key, (offering = [...agents].filter((agent) => agent.offers(needs, key))));
      let best: AgentState | undefined;
      let credit = 0;
      for (const agent of offering) {
        const slots = agent.credit(at)[room];
        const has = takes === undefined || slots === 0 ? slots : agent.amounts.room(takes, slots);
        if (has > credit) [best, credit] = [agent, has];
      }
      const many = offering.length;
      const share = many === 1 ? credit : Math.max(1, Math.min(credit, Math.ceil(next.waiting / (2 * many))));
      const taken = best === undefined ? undefined : queues.take(key, share);
      if (best === undefined || taken === undefined) stuck.add(key);
      else found(best, taken, takes);
    }
  }
}
