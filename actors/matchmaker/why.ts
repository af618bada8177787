/** Why ready electrons have no agent, and which an agent has and has not begun. Pure. Not here: whose turn it is (queues.ts), what agents lack (why-agents.ts). */
import type { Why } from '../../bus/protocol/why.ts';
import { NAMED } from '../../bus/protocol/why.ts';
import type { Requirement } from '../../bus/protocol/actors.ts';
import { parseTaskId, taskIdOf, type DispatchId } from '../../model/ids.ts';
import { needOf, ownHold } from '../requirement.ts';
import { WhyGroups, type Waits } from '../why-groups.ts';
import type { AgentState } from './agent-state.ts';
import { whyOfAgents } from './why-agents.ts';
import type { HeldRequests } from './held-requests.ts';
import type { Keys } from './keys.ts';
import type { ReadyQueues } from './queues.ts';

export interface WhyOptions {
  readonly queues: ReadyQueues;
  readonly keys: Keys;
  readonly held: HeldRequests;
  readonly agents: readonly AgentState[];
  /** Monotonic, ms. */
  readonly at: number;
}

/** What a dispatch that has not begun asks for. */
export interface RoomNeed {
  readonly requirement: Requirement;
  readonly electrons: number;
}

const MOST = 200;
const RESTART: Why = { kind: 'restart' };

/** Of a dispatch, or of one node of it. */
export function whyWaiting(o: WhyOptions, dispatch: DispatchId, only?: number): readonly Waits[] {
  const groups = new WhyGroups();
  const wanted = (nodes: readonly number[]): readonly number[] =>
    only === undefined ? nodes : nodes.includes(only) ? [only] : [];
  for (const { requirement, limited, priority, nodes } of o.queues.lanesOf(dispatch)) {
    const asked = wanted(nodes);
    const [first] = asked;
    if (first === undefined) continue;
    const { key, capabilities } = requirement;
    const asks = { key, capabilities, ...(limited === undefined ? {} : { limited }) };
    const why = whyOf(o, dispatch, asks, priority, first);
    groups.add(JSON.stringify(why), () => why, asked);
  }
  for (const { nodes } of o.held.of(dispatch)) {
    const asked = wanted(nodes);
    if (asked.length > 0) groups.add(JSON.stringify(RESTART), () => RESTART, asked);
  }
  for (const agent of o.agents)
    for (const task of agent.unbegun()) {
      const { dispatch: of, node } = parseTaskId(task);
      if (of === dispatch && (only === undefined || node === only))
        groups.add(`agent ${agent.key}`, () => ({ kind: 'agent', agent: agent.key }), [node]);
    }
  return groups.list(MOST);
}

/** Why a dispatch that has not begun waits. */
export function whyInRoom(o: WhyOptions, { requirement, electrons }: RoomNeed): readonly Waits[] {
  const ahead = o.queues.ahead(needOf(requirement), Number.NEGATIVE_INFINITY);
  const why = whyOfAgents(o, requirement, ahead);
  return [{ why: why.kind === 'capability' ? why : { kind: 'room', ahead }, electrons, first: [] }];
}

function whyOf(o: WhyOptions, dispatch: DispatchId, requirement: Requirement, priority: number, node: number): Why {
  const { limited } = requirement;
  if (limited !== undefined && o.keys.closed) return RESTART;
  const { key } = limited ?? {};
  if (key !== undefined && o.keys.room(key) === 0) {
    const holders = o.keys.holders(key.key);
    const name = key.key.slice(key.key.indexOf('/') + 1);
    return { kind: 'key', key: name, limit: key.limit, held: holders.length, holders: holders.slice(0, NAMED) };
  }
  if (limited?.exclusive === true && o.keys.room(ownHold(taskIdOf(dispatch, node))) === 0) return { kind: 'attempt' };
  return whyOfAgents(o, requirement, Math.max(0, o.queues.ahead(needOf(requirement), priority) - 1));
}
