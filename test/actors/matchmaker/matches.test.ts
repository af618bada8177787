/** What a round matched goes out together for each agent, in the agent's own order, and no agent waits for all of another's. */
import { beforeEach, expect, it } from 'vitest';
import { AgentState } from '../../../actors/matchmaker/agent-state.ts';
import { Keys } from '../../../actors/matchmaker/keys.ts';
import { Matches } from '../../../actors/matchmaker/matches.ts';
import { dispatchId } from '../support/hub-world.ts';
import { begin, join, lattice, matchmaker, ready, world } from '../support/matchmaker-rig.ts';

const agentOf = (name: string): AgentState =>
  new AgentState(`lab.${name}`, { heartbeatMs: 1, leaseMs: 1 }, 1, 0, undefined, new Keys(() => undefined));
const [a, b] = [agentOf('a'), agentOf('b')];
const [kim, lee] = [dispatchId(1), dispatchId(2)];
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

let matches: Matches;
const told = (): unknown[] => {
  const all: unknown[] = [];
  matches.take((agent, dispatch, nodes) => all.push([agent.name, dispatch, nodes]));
  return all;
};

beforeEach(() => {
  matches = new Matches();
});

it('what an agent was given in several turns is one message', () => {
  matches.add(a, kim, [1]);
  matches.add(b, kim, [2]);
  matches.add(a, kim, [3, 4]);
  matches.add(b, kim, [5]);
  expect(told()).toEqual([
    ['a', kim, [1, 3, 4]],
    ['b', kim, [2, 5]],
  ]);
  expect(told()).toEqual([]);
});

it('an agent gets what it was given in the order in which dispatches had their turns', () => {
  for (const n of [1, 2]) {
    matches.add(a, kim, [n]);
    matches.add(a, lee, [n]);
  }
  expect(told()).toEqual([
    ['a', kim, [1]],
    ['a', lee, [1]],
    ['a', kim, [2]],
    ['a', lee, [2]],
  ]);
});

it('of many for each, agents take turns of 64', () => {
  matches.add(a, kim, range(0, 100));
  matches.add(b, kim, range(100, 170));
  expect(told()).toEqual([
    ['a', kim, range(0, 64)],
    ['b', kim, range(100, 164)],
    ['a', kim, range(64, 100)],
    ['b', kim, range(164, 170)],
  ]);
});

it('ten agents are told of a hundred electrons in ten messages', async () => {
  begin();
  for (let n = 0; n < 10; n++) await join(`a${n}`, 1, { free: 1, queue: 1_024 });
  await ready(range(0, 100));
  const found = lattice.flatMap(({ message }) => (message.type === 'match.found' ? [message.nodes.length] : []));
  matchmaker.stop();
  world.close();
  expect(found).toEqual(range(0, 10).map(() => 10));
});
