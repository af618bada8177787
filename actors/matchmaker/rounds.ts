/**
 * Matches once per turn: everything asked for and given back in it is looked at together. While too much waits for the disk nothing is matched.
 * Not here: who gets what (pairing.ts).
 */
import { taskIdOf, type DispatchId } from '../../model/ids.ts';
import type { LatticeMessage } from '../../bus/protocol/actors.ts';
import { holdsOf } from '../requirement.ts';
import { soon, type Address } from '../system.ts';
import type { AgentState } from './agent-state.ts';
import { Matches } from './matches.ts';
import type { Nearness } from './nearness.ts';
import { MOST_BACKLOG_BYTES, type MatchmakerOptions } from './options.ts';
import { pair, type Found } from './pairing.ts';
import type { Pools } from './pools.ts';
import type { ReadyQueues } from './queues.ts';
import type { Matched } from './take-back.ts';

export interface RoundsOptions
  extends Pick<MatchmakerOptions, 'system' | 'results' | 'clock' | 'onTaken' | 'maxBacklog'> {
  readonly self: Address;
  readonly queues: ReadyQueues;
  readonly pools: Pools;
  readonly near: Nearness;
  readonly matched: Matched;
}

export class Rounds {
  readonly #o: RoundsOptions;
  readonly #matches = new Matches();
  #matching = false;

  constructor(options: RoundsOptions) {
    this.#o = options;
  }

  readonly soon = (): void => {
    if (this.#matching || !this.#o.queues.any) return;
    this.#matching = true;
    soon(() => {
      this.#matching = false;
      const { results, queues, pools, near, clock } = this.#o;
      const { backlog, backlogBytes } = results;
      if (backlog > (this.#o.maxBacklog ?? 50_000) || backlogBytes > MOST_BACKLOG_BYTES) results.afterFlush(this.soon);
      else {
        pair(queues, pools, near, clock.monotonic(), this.#found);
        this.#matches.take(this.#tell);
      }
      this.#o.onTaken();
    });
  };

  readonly #found: Found = (agent, { dispatch, nodes, limited }, takes) => {
    for (const node of nodes) {
      const task = taskIdOf(dispatch, node);
      agent.reserve(task, holdsOf(limited, task), takes);
    }
    this.#o.matched.add(agent);
    this.#matches.add(agent, dispatch, nodes);
  };

  readonly #tell = (agent: AgentState, dispatch: DispatchId, nodes: readonly number[]): void => {
    const { system, self } = this.#o;
    const found: LatticeMessage = { type: 'match.found', agent: agent.key, nodes };
    system.send(system.address('lattice', dispatch), found, self);
  };
}
