/** Cancels of many at once, and asking back what an agent only queues (docs/protocol.md, H10; docs/adr/009). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ElectronMessage, MatchmakerMessage } from '../../../bus/protocol/actors.ts';
import { settle } from '../support/fake-clock.ts';
import {
  begin,
  electrons,
  found,
  heard,
  isElectron,
  join,
  LEASE,
  matchmaker,
  ready,
  send,
  task,
  tell,
  world,
} from '../support/matchmaker-rig.ts';

beforeEach(() => begin());
afterEach(() => world.close());

const MANY = 999;
const token = [100, 1] as const;
const askBack = (n: number): void =>
  tell({ type: 'attempt.revoke', agent: 'lab.a1', task: task(n), token, reason: 'it waited for too long' });
const back: ElectronMessage = { type: 'attempt.lost', token, reason: 'refused', charged: false };

describe('a cancel of a thousand running electrons on three agents', () => {
  async function running(): Promise<Awaited<ReturnType<typeof join>>[]> {
    const agents = [];
    for (const name of ['a1', 'a2', 'a3']) agents.push(await join(name, MANY / 3));
    for (let n = 12; n < MANY; n++) electrons.set(n, world.probe('electron', task(n), isElectron));
    await ready(Array.from({ length: MANY }, (_, n) => n));
    await settle(30);
    for (const [agent, node] of found()) if (isOfLab(agent)) send(node, agent);
    await settle(30);
    expect(matchmaker.agents().map(({ running: many }) => many)).toEqual([MANY / 3, MANY / 3, MANY / 3]);
    return agents;
  }
  const isOfLab = (agent: string): agent is `lab.${string}` => agent.startsWith('lab.');
  const cancelAll = (): void => {
    for (const [agent, n] of found())
      if (isOfLab(agent)) tell({ type: 'attempt.cancel', agent, task: task(n), token, reason: 'enough' });
  };

  it('is told to each agent in a few messages, which together name all of them once', async () => {
    const agents = await running();
    cancelAll();
    await settle(30);
    for (const { name, cancels } of agents) {
      expect(cancels.length).toBeLessThanOrEqual(4);
      const named = cancels.flatMap(({ tasks }) => tasks.map((one) => one.task));
      const its = found().flatMap(([agent, node]) => (agent === `lab.${name}` ? [task(node)] : []));
      expect(named.sort()).toEqual(its.sort());
    }
  });

  it('frees all their places when the agents say that they stopped', async () => {
    const agents = await running();
    for (const agent of agents) agent.stop = ({ tasks }) => ({ stopped: tasks.map((one) => one.task), stopping: [] });
    cancelAll();
    await settle(30);
    for (let n = 0; n < MANY; n++) expect(heard(n)).toEqual([{ type: 'attempt.stopped', token, confirmed: true }]);
    expect(matchmaker.agents().map(({ running: left }) => left)).toEqual([0, 0, 0]);
  });
});

describe('a cancel', () => {
  const cancel: MatchmakerMessage = { type: 'attempt.cancel', agent: 'lab.a1', task: task(1), token, reason: 'enough' };

  it('that the agent never hears is told in the answer to its next sync', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    await settle();
    agent.deaf();
    tell(cancel);
    await settle();
    expect(agent.cancels).toEqual([]);
    agent.run = [];
    expect(await agent.sync({ seen: 0 })).toMatchObject({ cancel: [{ task: task(1), token }] });
  });

  it('of what a partitioned agent has is over when the lease has ended', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    await settle();
    agent.deaf();
    tell(cancel);
    await world.clock.advance(LEASE - 2_000);
    expect(heard(1)).toEqual([]);
    await world.clock.advance(4_000);
    expect(heard(1)).toMatchObject([{ type: 'attempt.lost', reason: 'agent-lost' }]);
  });
});

describe('an electron that has waited for too long', () => {
  it('is asked back, and lost to nobody when the agent gives it back', async () => {
    const agent = await join();
    agent.stop = ({ tasks }) => ({ stopped: tasks.map((one) => one.task), stopping: [] });
    await ready([1]);
    send(1);
    await settle();
    askBack(1);
    await settle();
    expect(agent.cancels).toMatchObject([{ tasks: [{ task: task(1), token, revoke: true }] }]);
    expect(heard(1)).toEqual([back]);
    expect(matchmaker.agents()[0]?.running).toBe(0);
  });

  it('stays where it runs, and is never told to stop', async () => {
    const agent = await join();
    agent.stop = () => ({ stopped: [], stopping: [] });
    await ready([1]);
    send(1);
    await settle();
    askBack(1);
    await settle();
    expect(heard(1)).toEqual([]);
    expect(await agent.sync({ seen: 0 })).toMatchObject({ cancel: [] });
    expect(matchmaker.agents()[0]?.running).toBe(1);
  });

  it('is back at once when it had not left yet, or no such agent is known', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    askBack(1);
    tell({ type: 'attempt.revoke', agent: 'lab.gone', task: task(2), token, reason: 'it waited for too long' });
    await settle();
    expect([agent.assigns, agent.cancels]).toEqual([[], []]);
    expect([heard(1), heard(2)]).toEqual([[back], [back]]);
  });
});
