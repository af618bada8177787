/** The index of who has room against a look at every agent. */
import { expect, it } from 'vitest';
import type { AgentState } from '../../../actors/matchmaker/agent-state.ts';
import { asksOf } from '../../../actors/matchmaker/asks.ts';
import { roomKinds } from '../../../actors/matchmaker/pool.ts';
import type { Requirement } from '../../../bus/protocol/actors.ts';
import { randomFrom } from '../support/graphs.ts';
import { ManyAgents, requirement } from './many-agents.ts';

function roomOf(agent: AgentState, of: Requirement, kind: 'free' | 'total', at: number): number {
  const { needs, takes } = asksOf(of);
  if (!agent.offers(needs, of.key) || (takes !== undefined && kind === 'total')) return 0;
  const credit = agent.credit(at)[kind];
  return takes === undefined ? credit : agent.amounts.room(takes, credit);
}

const classes = [
  requirement('process'),
  requirement('process', 'gpu'),
  requirement('process', 'site=a'),
  requirement('process', 'site=b', 'gpu'),
  requirement('process', 'memory>=8GiB'),
  requirement('process', 'memory>=24GiB'),
  requirement('process', 'gpus>=1', 'memory>=4GiB'),
  requirement('process', 'tape'),
];

it.each([1, 2, 3, 4, 5, 6])('is right after whatever happens (seed %i)', (seed) => {
  const upTo = randomFrom(seed);
  const random = (): number => upTo(1_000) / 1_000;
  const some = new ManyAgents();
  const offers = (): string[] => [
    'process',
    ...(random() < 0.4 ? ['gpu', `gpus=${upTo(3)}`] : []),
    ...(random() < 0.6 ? [`site=${random() < 0.5 ? 'a' : 'b'}`] : []),
    ...(random() < 0.7 ? [`memory=${8 * (1 + upTo(6))}GiB`] : []),
  ];
  let ended = 0;
  for (let step = 0; step < 600; step++) {
    const agent = some.agents[upTo(Math.max(1, some.agents.length))];
    const what = upTo(9);
    if (what === 0 || agent === undefined) some.join({ slots: 1 + upTo(4), queue: upTo(3), capabilities: offers() });
    else if (what === 1) some.wait(classes[upTo(classes.length)] ?? requirement('process'), 1 + upTo(12));
    else if (what === 2) some.pair();
    else if (what === 3 && ended < some.given.length) some.end(ended++);
    else if (what === 4) some.sync(agent, random() < 0.3 ? { capabilities: offers() } : { draining: random() < 0.2 });
    else if (what === 5) agent.expire();
    else if (what === 6) some.now += upTo(3_000);
    else if (what === 7) agent.unable(classes[upTo(classes.length)]?.key ?? '');
    else for (const one of some.agents) some.sync(one);
    some.pools.settle(some.now);
    for (const of of classes) {
      const known = some.pools.enter(of);
      if (random() < 0.02) some.pools.leave(known);
      const one = some.pools.enter(of);
      for (const kind of roomKinds) {
        const most = Math.max(0, ...some.agents.map((a) => roomOf(a, of, kind, some.now)));
        const best = one.open[kind] === 0 ? undefined : some.pools.best(one, kind, some.now);
        if (most === 0) expect([step, of.key, best?.room ?? 0]).toEqual([step, of.key, 0]);
        else if (one.asks.takes === undefined) expect([step, of.key, best?.room]).toEqual([step, of.key, most]);
        else expect([step, of.key, (best?.room ?? 0) > 0]).toEqual([step, of.key, true]);
      }
      const able = some.agents.filter((a) => a.last !== undefined && a.offers(one.asks.needs, of.key));
      expect([step, of.key, one.able]).toEqual([step, of.key, able.length]);
    }
  }
  expect(some.given.length).toBeGreaterThan(5);
});

it('an agent that fell silent is passed over, and comes back with its next sync', () => {
  const some = new ManyAgents();
  some.join({ slots: 8 });
  some.now = 5_000;
  const late = some.join({ slots: 2 });
  some.now = 7_000;
  some.wait(requirement('process'), 3);
  expect(some.pair()).toBe(2);
  expect(some.given.map(({ agent }) => agent.key)).toEqual([late.key, late.key]);
  const [first] = some.agents;
  if (first !== undefined) some.sync(first);
  expect(some.pair()).toBe(1);
});

it('nothing waits for an agent whose amounts would do when another has room for more', () => {
  const some = new ManyAgents();
  some.join({ slots: 8, capabilities: ['process', 'memory=8GiB'] });
  some.join({ slots: 2, capabilities: ['process', 'memory=64GiB'] });
  some.wait(requirement('process', 'memory>=8GiB'), 9);
  expect(some.pair()).toBe(3);
});
