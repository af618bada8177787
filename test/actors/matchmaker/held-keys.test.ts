/** Keys as the matchmaker hands them out and takes them back: over outcomes, losses, cancels and its own restart. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requirementOf } from '../../../actors/requirement.ts';
import type { KeyHold, RunEntry } from '../../../bus/protocol/agent.ts';
import type { Token } from '../../../model/outcome.ts';
import type { FakeAgent } from '../support/fake-agent.ts';
import { settle } from '../support/fake-clock.ts';
import { def } from '../support/graphs.ts';
import {
  begin,
  found,
  heard,
  id,
  inputsDigest,
  join,
  judge,
  LEASE,
  listed,
  manifest,
  matchmaker,
  outcome,
  ready,
  task,
  tell,
  world,
} from '../support/matchmaker-rig.ts';
import { template } from '../support/graphs.ts';

beforeEach(() => begin());
afterEach(() => {
  matchmaker.stop();
  world.close();
});

const db: readonly KeyHold[] = [{ key: 'kim/db', limit: 1 }];
const electron = def('train', { concurrency: { key: 'db', limit: 1 } });
async function want(...nodes: number[]): Promise<void> {
  const requirement = requirementOf(electron, 'kim');
  const whose = { user: 'kim', root: id };
  tell({ type: 'match.request', dispatch: id, nodes, requirement, priority: 0, resumed: false, ...whose });
  await settle();
}
async function send(n: number, token: Token = [100, 1]): Promise<void> {
  const how = { manifest, electron, name: `train[${n}]`, path: undefined, template, inputs: [], split: false };
  tell({ type: 'attempt.send', agent: 'lab.a1', task: task(n), token, inputsDigest, ...how, holds: db });
  await settle();
}
const given = (): readonly number[] => found().map(([, node]) => node);
const entry = (n: number, token?: Token): RunEntry => ({ ...listed(n, token), holds: db });

it('an attempt that goes out in the turn in which its supervisor crashes stands', async () => {
  const a1 = await join('a1', 1);
  await want(0);
  const how = { manifest, electron, name: 'train', path: undefined, template, inputs: [], split: false };
  tell({ type: 'attempt.send', agent: 'lab.a1', task: task(0), token: [100, 1], inputsDigest, ...how, holds: db });
  tell({ type: 'match.withdraw', dispatch: id });
  tell({ type: 'lattice.resumed', dispatch: id });
  tell({ type: 'attempt.recovered', agent: 'lab.a1', task: task(0), token: [100, 1] });
  await settle();
  expect(a1.assigns.flatMap(({ tasks }) => tasks.map((one) => one.task))).toEqual([task(0)]);
});

describe('a match that was never sent', () => {
  const amounts = { capabilities: ['process', 'memory=8GiB'] };
  const wantMemory = async (...nodes: number[]): Promise<void> => {
    const requirement = requirementOf(
      def('train', { needs: ['memory=8GiB'], concurrency: { key: 'db', limit: 1 } }),
      'kim',
    );
    const whose = { user: 'kim', root: id };
    tell({ type: 'match.request', dispatch: id, nodes, requirement, priority: 0, resumed: false, ...whose });
    await settle();
  };

  it.each(['lattice.resumed', 'lattice.gone'] as const)(
    'is taken back with its slot, key and amounts when its supervisor has crashed: %s',
    async (type) => {
      await join('a1', 1, amounts);
      await wantMemory(0);
      expect(given()).toEqual([0]);
      // It was heard, and the supervisor crashed before anything was sent.
      tell({ type, dispatch: id });
      await settle();
      expect(matchmaker.agents().map(({ running }) => running)).toEqual([0]);
      await wantMemory(1);
      expect(given()).toEqual([0, 1]);
    },
  );

  it('is taken back at an agent that another one is chosen instead of', async () => {
    await join('a1', 1, amounts);
    await wantMemory(0);
    await join('a2', 1, amounts);
    tell({ type: 'lattice.resumed', dispatch: id });
    await wantMemory(0);
    tell({ type: 'lattice.resumed', dispatch: id });
    await settle();
    expect(matchmaker.agents().map(({ running, queued }) => [running, queued])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('waits in nobody’s queue any more; what is sent late comes back, and what was sent stays', async () => {
    const a1 = await join('a1', 2);
    await want(0, 1);
    await ready([5, 6, 7]);
    await send(0);
    expect(a1.assigns).toHaveLength(1);
    tell({ type: 'lattice.resumed', dispatch: id });
    await send(5);
    expect(heard(5)).toEqual([{ type: 'attempt.lost', token: [100, 1], reason: 'refused', charged: false }]);
    expect([a1.assigns.length, matchmaker.agents()[0]?.running]).toEqual([1, 1]);
    // 1, 6 and 7 are asked for by whoever begins again.
    await join('a2', 4);
    expect(given()).toEqual([0, 5]);
  });
});

describe('a key is held', () => {
  let a1: FakeAgent;
  beforeEach(async () => {
    a1 = await join('a1', 4);
    await want(0, 1, 2);
    expect(given()).toEqual([0]);
    await send(0);
    expect(a1.assigns[0]?.tasks[0]?.holds).toEqual(db);
  });

  it('until the outcome came, though it is not judged yet; others are not held up', async () => {
    await ready([7]);
    expect(given()).toEqual([0, 7]);
    void a1.done(outcome(0));
    await settle();
    expect(given()).toEqual([0, 7, 1]);
    judge(1, 0);
    await settle();
    expect(given()).toEqual([0, 7, 1]);
  });

  it('until the agent refused it, or it is given back unsent', async () => {
    a1.answer = ({ tasks }) => ({ refused: tasks.map((one) => ({ task: one.task, reason: 'busy' })) });
    void a1.done(outcome(0));
    await settle();
    await send(1);
    judge(1, 0);
    expect(given()).toEqual([0, 1, 2]);
    tell({ type: 'attempt.abandoned', agent: 'lab.a1', task: task(2) });
    await want(3);
    expect(given()).toEqual([0, 1, 2, 3]);
  });

  it('until the lease of its agent ends', async () => {
    await world.clock.advance(LEASE - 1_000);
    expect(given()).toEqual([0]);
    await world.clock.advance(2_000);
    const a2 = await join('a2', 4);
    expect([given(), a2.name]).toEqual([[0, 1], 'a2']);
  });

  it('while a cancelled attempt is being stopped', async () => {
    tell({ type: 'attempt.cancel', agent: 'lab.a1', task: task(0), token: [100, 1], reason: 'no' });
    a1.run = [entry(0)];
    await a1.sync();
    await settle();
    expect(given()).toEqual([0]);
    a1.run = [];
    await a1.sync();
    await settle();
    expect(given()).toEqual([0, 1]);
  });

  it('and what was sent before the lease ended is void from then on', async () => {
    expect(await a1.sync()).not.toHaveProperty('void');
    await world.clock.advance(LEASE + 1_000);
    expect(await a1.sync()).toMatchObject({ void: 1 });
    expect(await a1.sync({ epoch: 2 })).not.toHaveProperty('void');
  });

  it('by what an agent runs on though it is wanted no more, until it no longer lists it', async () => {
    await world.clock.advance(LEASE + 1_000);
    a1.run = [entry(0)];
    const reply = await a1.sync();
    await settle();
    expect([reply, given()]).toMatchObject([{ drop: [{ task: task(0) }] }, [0]]);
    a1.run = [];
    await a1.sync();
    await settle();
    expect(given()).toEqual([0, 1]);
  });
});

describe('after a restart of the hub', () => {
  const roster = [{ agent: 'lab.a1', epoch: 1, instance: 'folder.1' }] as const;
  const again = async (instance = 'folder.1'): Promise<FakeAgent> => {
    matchmaker.stop();
    world.close();
    begin({ roster });
    await want(5);
    return join('a1', 4, { instance, epoch: instance === 'folder.1' ? 1 : 2, run: [entry(0, [50, 1])] });
  };

  it('nobody gets a key before the agents have told what they have, and know this life of the hub', async () => {
    const a1 = await again();
    expect(given()).toEqual([]);
    // what it lists holds the key, though nobody has adopted it
    await a1.sync({ hub: 100, run: [entry(0, [50, 1])] });
    await settle();
    expect(given()).toEqual([]);
    // adopted, it holds it on
    tell({ type: 'attempt.recovered', agent: 'lab.a1', task: task(0), token: [50, 1] });
    await a1.sync({ hub: 100, run: [entry(0, [50, 1])] });
    await settle();
    expect(given()).toEqual([]);
    await a1.sync({ hub: 100, run: [] });
    await settle();
    expect(given()).toEqual([5]);
  });

  it('an agent that has nothing may still be sent something late by the hub before, until it has heard of this one', async () => {
    const a1 = await again();
    await a1.sync({ run: [] });
    await settle();
    expect(given()).toEqual([]);
    await a1.sync({ hub: 100, run: [] });
    await settle();
    expect(given()).toEqual([5]);
  });

  it('a claim that is refused holds its key until the agent has dropped it', async () => {
    const a1 = await again();
    await a1.sync({ hub: 100, run: [entry(0, [50, 1])] });
    tell({ type: 'attempt.refused', agent: 'lab.a1', task: task(0), token: [50, 1] });
    expect(await a1.sync({ hub: 100, run: [entry(0, [50, 1])] })).toMatchObject({ drop: [{ task: task(0) }] });
    await settle();
    expect(given()).toEqual([]);
    await a1.sync({ hub: 100, run: [] });
    await settle();
    expect(given()).toEqual([5]);
  });

  it('nobody gets one while another process has the name of an agent that may still run', async () => {
    const twin = await again('other.1');
    await twin.sync({ hub: 100, run: [] });
    await settle();
    expect(given()).toEqual([]);
    for (let ms = 0; ms < 1.5 * LEASE; ms += 5_000) {
      await world.clock.advance(5_000);
      await twin.sync({ hub: 100, run: [] });
    }
    await settle();
    expect(given()).toEqual([5]);
  });

  it('those who are not heard of again in time keep nobody waiting', async () => {
    matchmaker.stop();
    world.close();
    begin({ roster: [{ agent: 'lab.gone', epoch: 1 }] });
    const a1 = await join('a1', 4);
    await want(5);
    for (let ms = 0; ms <= 1.5 * LEASE; ms += 5_000) {
      expect(given()).toEqual([]);
      await world.clock.advance(5_000);
      await a1.sync({ hub: 100 });
    }
    await settle();
    expect(given()).toEqual([5]);
  });
});
