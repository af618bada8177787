/** Agents by the thousand as the matchmaker keeps them, with what waits for them: no bus and no messages. */
import { AgentState } from '../../../actors/matchmaker/agent-state.ts';
import { Keys } from '../../../actors/matchmaker/keys.ts';
import { Nearness } from '../../../actors/matchmaker/nearness.ts';
import { pair } from '../../../actors/matchmaker/pairing.ts';
import { Pools } from '../../../actors/matchmaker/pools.ts';
import { ReadyQueues } from '../../../actors/matchmaker/queues.ts';
import type { Materials, Requirement } from '../../../bus/protocol/actors.ts';
import type { Sync } from '../../../bus/protocol/agent.ts';
import { agentKeyOf, taskIdOf, type AgentKey, type TaskId } from '../../../model/ids.ts';
import { isToken } from '../../../model/ids.ts';
import { dispatchId } from '../support/hub-world.ts';

const SYNC: Sync = {
  epoch: 1,
  seq: 1,
  seen: 0,
  hub: 0,
  history: 'h',
  slots: 1,
  free: 1,
  queue: 0,
  capabilities: ['process'],
  host: 'h',
  pid: 1,
  version: '0',
  draining: false,
  instance: 'f.1',
  run: [],
};

export const requirement = (...capabilities: string[]): Requirement => {
  const sorted = [...capabilities].sort();
  return { key: sorted.join('\n'), capabilities: sorted };
};

export class ManyAgents {
  readonly pools = new Pools();
  readonly near = new Nearness(this.pools);
  readonly queues: ReadyQueues;
  readonly agents: AgentState[] = [];
  readonly given: { readonly agent: AgentState; readonly task: TaskId; readonly node: number }[] = [];
  now = 0;
  readonly #keys = new Keys(() => undefined);
  readonly #seqs = new Map<AgentKey, number>();
  #dispatches = 0;

  constructor() {
    this.queues = new ReadyQueues(this.#keys, this.pools);
  }

  join(over: Partial<Sync> = {}): AgentState {
    const name = `a${this.agents.length}`;
    if (!isToken(name)) throw new Error(name);
    const leases = { leaseMs: 15_000, heartbeatMs: 2_000 };
    const agent = new AgentState(agentKeyOf('lab', name), leases, 0, this.now, undefined, this.#keys);
    this.pools.add(agent);
    this.agents.push(agent);
    this.sync(agent, over);
    return agent;
  }

  sync(agent: AgentState, over: Partial<Sync> = {}): void {
    const seq = (this.#seqs.get(agent.key) ?? 0) + 1;
    this.#seqs.set(agent.key, seq);
    agent.sync({ ...(agent.last ?? SYNC), ...over, seq }, this.now, 5, 'h');
    agent.admitted(1);
  }

  wait(of: Requirement, electrons: number, user = 'kim', materials?: Materials): void {
    const dispatch = dispatchId(++this.#dispatches);
    const nodes = Array.from({ length: electrons }, (_, node) => node);
    this.queues.add({ dispatch, priority: 0, user, root: dispatch }, nodes, of, materials);
  }

  /** A turn of the matchmaker; returns how many electrons were given. */
  pair(): number {
    const before = this.given.length;
    pair(this.queues, this.pools, this.near, this.now, (agent, { dispatch, nodes }, takes) => {
      for (const node of nodes) {
        const task = taskIdOf(dispatch, node);
        agent.reserve(task, undefined, takes);
        agent.hold(task, [5, 1], 1);
        this.given.push({ agent, task, node });
      }
    });
    return this.given.length - before;
  }

  end(at: number): void {
    const one = this.given[at];
    if (one === undefined) throw new Error(`nothing was given as number ${at}`);
    one.agent.finish(one.task, [5, 1]);
    one.agent.release(one.task, [5, 1]);
  }
}
