/** Gives what waits to agents that have room. Not here: whose turn it is (queues.ts), who has room (pools.ts), and who of those is nearest (nearness.ts). */
import type { Takes } from '../../model/amount-ledger.ts';
import type { AgentState } from './agent-state.ts';
import type { Nearness } from './nearness.ts';
import { roomKinds, type ClassRoom, type Pool } from './pool.ts';
import type { Pools } from './pools.ts';
import type { ReadyQueues, Taken } from './queues.ts';

/** These nodes go to this agent. Its room, what they take of its amounts and their keys must be taken for them. */
export type Found = (agent: AgentState, taken: Taken, takes: Takes | undefined) => void;

const NONE: ReadonlySet<Pool> = new Set();

/** Where something waits that gets free slots only: no agent there takes more into its queue, else none of its slots would ever be free. */
function keptFor(queues: ReadyQueues): ReadonlySet<Pool> {
  const kept = new Set<Pool>();
  for (const { room, waiting } of queues.classes())
    if (waiting > 0 && !room.queues) for (const pool of room.pools) kept.add(pool);
  return kept;
}

/** First the free slots, then places in the agents' queues; of both each class has its turn before another has the next. */
export function pair(queues: ReadyQueues, pools: Pools, near: Nearness, at: number, found: Found): void {
  for (const kind of roomKinds) {
    /** All that waits in these stands aside. */
    const stuck = new Set<ClassRoom>();
    let kept = kind === 'free' ? NONE : undefined;
    const served = (room: ClassRoom): boolean => room.open[kind] > 0 && !stuck.has(room);
    pools.settle(at);
    while (pools.open[kind] > 0) {
      const next = queues.next(served);
      if (next === undefined) break;
      const { room } = next;
      kept ??= keptFor(queues);
      const best = pools.best(room, kind, at, kept);
      const many = room.able;
      const most = best?.room ?? 0;
      const share = many === 1 ? most : Math.max(1, Math.min(most, Math.ceil(next.waiting / (2 * many))));
      const taken = best === undefined ? undefined : queues.take(room.key, share);
      if (best === undefined || taken === undefined) stuck.add(room);
      else {
        const divided = near.divide(taken, best.agent, { room, kind, at, kept });
        if (divided === undefined) found(best.agent, taken, room.asks.takes);
        else for (const [agent, nodes] of divided) found(agent, { ...taken, nodes }, room.asks.takes);
      }
      pools.settle(at);
    }
  }
}
