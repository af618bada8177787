/** A day after it was lost nothing is known of an agent any more; the process that comes back then is given work as any other. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FORGET_MS } from '../../../actors/matchmaker/agent-state.ts';
import type { RosterEntry } from '../../../bus/protocol/results.ts';
import { AssignWindow } from '../../../executors/agent/assign-window.ts';
import { FakeAgent } from '../support/fake-agent.ts';
import { settle } from '../support/fake-clock.ts';
import {
  begin,
  found,
  heard,
  join,
  LEASE,
  listed,
  matchmaker,
  ready,
  send,
  task,
  world,
} from '../support/matchmaker-rig.ts';

const recorded = async (): Promise<readonly RosterEntry[]> => (await world.results.ask('results.live', {})).roster;
/** So much time at once: looks at each quarter of a second of a day would take minutes. */
async function pass(ms: number): Promise<void> {
  world.clock.mono += ms;
  world.clock.wall += ms;
  await world.clock.advance(1_000);
}

beforeEach(() => begin());
afterEach(() => {
  matchmaker.stop();
  world.close();
});

it('is forgotten a day after its last sync, and not before', async () => {
  await join('a1');
  await world.clock.advance(LEASE + 1_000);
  const lostAt = world.clock.wall;
  await pass(FORGET_MS - 60_000);
  const [entry] = await recorded();
  expect(entry).toMatchObject({ agent: 'lab.a1', epoch: 1, instance: 'a1.boot' });
  expect(entry?.lostAt).toBeGreaterThan(lostAt - 1_001);
  expect(entry?.lostAt).toBeLessThanOrEqual(lostAt);
  expect(await new FakeAgent(world.network, 'a1').sync({ instance: 'other.boot' })).toEqual({
    type: 'epoch-low',
    n: 1,
  });
  await pass(60_000);
  expect(await recorded()).toEqual([]);
  expect((await new FakeAgent(world.network, 'a1').sync({ instance: 'other.boot' })).type).toBe('ok');
});

it('is not forgotten while it lives, however long', async () => {
  const agent = await join('a1');
  for (let days = 0; days < 3; days++) {
    // the hub stood still, so what it couldn't hear is no silence
    await pass(FORGET_MS + 1);
    await agent.sync();
  }
  expect((await recorded()).map(({ agent: key, lostAt }) => [key, lostAt])).toEqual([['lab.a1', undefined]]);
});

describe('a process that was cut off, and comes back in the same life of the hub,', () => {
  let agent: FakeAgent;
  beforeEach(async () => {
    agent = await join('a1');
    for (const n of [1, 2]) {
      await ready([n]);
      send(n);
      await settle();
      agent.run = [];
      await agent.sync();
    }
    expect([agent.seen, heard(1).at(-1)?.type]).toEqual([2, 'attempt.lost']);
    await world.clock.advance(LEASE + 1_000);
    await pass(FORGET_MS);
    expect(await recorded()).toEqual([]);
  });

  it('is given assigns with numbers that it has not seen, and told that those below are void', async () => {
    const reply = await agent.sync();
    expect(reply).toMatchObject({ type: 'ok', void: 2 + 2_048 });
    await settle();
    await ready([3]);
    expect(found().at(-1)).toEqual(['lab.a1', 3]);
    send(3);
    await settle();
    expect(agent.assigns.at(-1)).toMatchObject({ n: 2 + 2_048 + 1, tasks: [{ task: task(3) }] });
  });

  it('counts on above them, too, when the first of them was lost on its way', async () => {
    agent.seen = 0;
    expect(await agent.sync()).toMatchObject({ type: 'ok', void: 2_048 });
    await settle();
    await ready([3]);
    send(3);
    await settle();
    expect(agent.assigns.at(-1)).toMatchObject({ n: 2_048 + 1, tasks: [{ task: task(3) }] });
  });

  it('carries out an assign that comes before the answer to its sync, which says what is void', async () => {
    await agent.sync();
    await settle();
    await ready([3]);
    send(3);
    await settle();
    const window = new AssignWindow();
    expect(agent.assigns.map(({ n }) => window.meet(n).type)).toEqual(['fresh', 'fresh', 'fresh']);
  });

  it('drops what it still has from before', async () => {
    agent.run = [listed(1)];
    expect(await agent.sync()).toMatchObject({ drop: [{ task: task(1), token: [100, 1] }] });
  });
});

it('one that was lost a day ago in an earlier life of the hub is forgotten when that is loaded; a fresher one isn’t, and one of unknown time is given this one', async () => {
  matchmaker.stop();
  world.close();
  const now = 1_700_000_000_000;
  const entry = (name: string, lostAt?: number): RosterEntry => ({
    agent: `lab.${name}`,
    epoch: 7,
    instance: `${name}.boot`,
    ...(lostAt === undefined ? {} : { lostAt }),
  });
  begin({
    roster: [
      entry('old', now - FORGET_MS - 1),
      entry('fresh', now - 1_000),
      entry('unknown', 0),
      entry('ahead', 2 * now),
    ],
  });
  await settle();
  // in each life of the hub they would be given another day
  const dated = (await recorded()).map(({ agent: key, epoch, lostAt }) => [key, epoch, lostAt]);
  expect(dated).toEqual(
    expect.arrayContaining([
      ['lab.unknown', 7, now],
      ['lab.ahead', 7, now],
    ]),
  );
  const first = (name: string) => new FakeAgent(world.network, name).sync({ instance: 'other.boot' });
  expect((await first('old')).type).toBe('ok');
  expect(await first('fresh')).toEqual({ type: 'epoch-low', n: 7 });
  expect(await first('unknown')).toEqual({ type: 'epoch-low', n: 7 });
});

it('one that was lost in an earlier life of the hub is forgotten after a day, also if the bus is away now and then', async () => {
  matchmaker.stop();
  world.close();
  begin({ roster: [{ agent: 'lab.a1', epoch: 7, instance: 'a1.boot', lostAt: 1_700_000_000_000 - 1_000 }] });
  for (let hours = 0; hours < 24; hours += 6) {
    await world.clock.advance(2 * LEASE);
    await pass(FORGET_MS / 4);
    matchmaker.heard(false);
    matchmaker.heard(true);
  }
  await world.clock.advance(1_000);
  expect((await new FakeAgent(world.network).sync({ instance: 'other.boot' })).type).toBe('ok');
});
