/** The matchmaker of a hub that was restarted: M3, H8, and attempts whose record was lost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RosterEntry } from '../../../bus/protocol/results.ts';
import { type TaskId } from '../../../model/ids.ts';
import type { Token } from '../../../model/outcome.ts';
import { FakeAgent } from '../support/fake-agent.ts';
import { settle } from '../support/fake-clock.ts';
import { dispatchId, specOf } from '../support/hub-world.ts';
import {
  id,
  LEASE,
  inputsDigest,
  task,
  listen,
  world,
  matchmaker,
  epoch,
  lattice,
  begin,
  tell,
  ready,
  found,
  heard,
  listed,
  outcome,
  join,
} from '../support/matchmaker-rig.ts';

beforeEach(() => begin());
afterEach(() => {
  matchmaker.stop();
  world.close();
});

describe('H8: after a restart of the hub', () => {
  const roster: RosterEntry[] = [
    { agent: 'lab.a1', epoch: 1 },
    { agent: 'lab.a2', epoch: 1 },
  ];
  beforeEach(() => {
    matchmaker.stop();
    begin({ roster });
  });

  it('a dispatch from before waits for the first sync of every agent in the roster, whenever it asks; a new one does not', async () => {
    await ready([1], true);
    await join('a1', 4);
    await ready([2]);
    await ready([3], true);
    expect(found()).toEqual([['lab.a1', 2]]);
    await join('a2', 4);
    expect(
      found()
        .map(([, node]) => node)
        .sort(),
    ).toEqual([1, 2, 3]);
    await ready([4], true);
    expect(found().map(([, node]) => node)).toContain(4);
  });

  it('waits for at most one and a half leases', async () => {
    await ready([1], true);
    const agent = await join('a1');
    for (let i = 0; i < 7; i++) {
      await world.clock.advance(3_000);
      await agent.sync();
    }
    expect(found()).toEqual([]);
    await world.clock.advance(2_000);
    expect(found()).toEqual([['lab.a1', 1]]);
  });

  it('counts from when agents are heard: a hub that took long to recover takes nobody for silent', async () => {
    matchmaker.stop();
    begin({ roster, deaf: true });
    tell({ type: 'attempt.recovered', agent: 'lab.a2', task: task(2), token: [50, 1] });
    await ready([1], true);
    await world.clock.advance(3 * LEASE);
    matchmaker.start();
    await join('a1', 4);
    await world.clock.advance(LEASE);
    expect([found(), heard(2)]).toEqual([[], []]);
    await join('a2', 4);
    expect(found().map(([, node]) => node)).toEqual([1]);
  });

  it('does not wait again for an agent that was lost, unless that has joined since', async () => {
    const recorded = async (): Promise<readonly string[]> =>
      (await world.results.ask('results.live', {})).roster.flatMap(({ agent, lostAt }) =>
        lostAt === undefined ? [agent] : [],
      );
    const agent = await join('a1');
    expect(await recorded()).toEqual(['lab.a1']);
    for (let i = 0; i < 8; i++) {
      await world.clock.advance(3_000);
      await agent.sync();
    }
    // The other of the roster never came; then this one goes silent, too.
    expect(await recorded()).toEqual(['lab.a1']);
    await world.clock.advance(LEASE + 1_000);
    expect(await recorded()).toEqual([]);
    await agent.sync();
    expect(await recorded()).toEqual(['lab.a1']);
  });

  it('knows who had the name of a lost agent, and waits for nobody: another process of its epoch takes the next (H11)', async () => {
    matchmaker.stop();
    begin({ roster: [{ agent: 'lab.a1', epoch: 1, instance: 'other.boot', lostAt: 0 }] });
    await ready([1], true);
    const agent = new FakeAgent(world.network);
    expect(await agent.sync()).toEqual({ type: 'epoch-low', n: 1 });
    expect(await agent.sync({ epoch: 2 })).toMatchObject({ type: 'ok' });
    await settle();
    expect(found()).toEqual([['lab.a1', 1]]);
    expect(matchmaker.agents()).toHaveLength(1);
  });

  it('does not hold anything when the roster is empty', async () => {
    matchmaker.stop();
    begin();
    await ready([1], true);
    await join();
    expect(found()).toEqual([['lab.a1', 1]]);
  });

  it('gives nothing out that was withdrawn while it was held', async () => {
    await ready([1, 2, 3], true);
    tell({ type: 'match.withdraw', dispatch: id, nodes: [2] });
    await join('a1', 4);
    await join('a2', 4);
    expect(
      found()
        .map(([, node]) => node)
        .sort(),
    ).toEqual([1, 3]);
  });

  it('gives nothing to a dispatch that ended while its requests were held', async () => {
    await ready([1, 2], true);
    tell({ type: 'lattice.gone', dispatch: id });
    await join('a1');
    await join('a2');
    expect(found()).toEqual([]);
  });

  it('adopts a recovered attempt that is listed, and makes lost one that is not', async () => {
    for (const n of [1, 2]) tell({ type: 'attempt.recovered', agent: 'lab.a1', task: task(n), token: [50, 1] });
    await settle();
    const agent = new FakeAgent(world.network);
    agent.run = [listed(1, [50, 1])];
    expect(await agent.sync({ hub: 50, seen: 12 })).toMatchObject({ type: 'ok', drop: [] });
    await settle();
    expect(heard(1)).toEqual([{ type: 'attempt.started', token: [50, 1], startedAt: 5 }]);
    expect(heard(2)).toEqual([{ type: 'attempt.lost', token: [50, 1], reason: 'not-listed', charged: true }]);
  });

  it('makes a recovered attempt lost when its agent does not come within one and a half leases', async () => {
    tell({ type: 'attempt.recovered', agent: 'lab.a1', task: task(1), token: [50, 1] });
    await world.clock.advance(1.5 * LEASE - 1_000);
    expect(heard(1)).toEqual([]);
    await world.clock.advance(3_000);
    expect(heard(1)).toMatchObject([{ type: 'attempt.lost', reason: 'agent-lost' }]);
  });
});

describe('an attempt without a record, from an earlier life of the hub', () => {
  const old: Token = [50, 1];
  const claims = (): readonly number[] =>
    lattice.flatMap(({ message }) =>
      message.type === 'attempt.claimed' ? message.attempts.map(({ node }) => node) : [],
    );
  const claimOf = async (dispatch: string): Promise<FakeAgent> => {
    const agent = new FakeAgent(world.network);
    agent.run = [{ ...listed(1, old), task: `${dispatch}_1` as TaskId }];
    expect(await agent.sync()).toMatchObject({ drop: [] });
    await settle();
    return agent;
  };

  it('goes to its dispatch before that hears of another agent for what was held', async () => {
    matchmaker.stop();
    begin({ roster: [{ agent: 'lab.a1', epoch: 1 }] });
    await ready([1, 2], true);
    const agent = new FakeAgent(world.network);
    agent.run = [listed(1, old), listed(4, old)];
    await agent.sync({ slots: 5 });
    await settle();
    expect(lattice.map(({ message }) => message.type)).toEqual(['attempt.claimed', 'match.found']);
    const attempts = [{ node: 1, token: old, inputsDigest, startedAt: 5 }, { node: 4 }];
    expect(lattice[0]?.message).toMatchObject({ agent: 'lab.a1', attempts });
  });

  it('stays with its agent when it is adopted, and is dropped when it is refused', async () => {
    const agent = await claimOf(id);
    tell({ type: 'attempt.recovered', agent: 'lab.a1', task: task(1), token: old });
    expect(await agent.sync()).toMatchObject({ drop: [] });
    expect([claims(), heard(1)]).toEqual([[1], [{ type: 'attempt.started', token: old, startedAt: 5 }]]);
    agent.run = [listed(2, old)];
    await agent.sync();
    tell({ type: 'attempt.refused', agent: 'lab.a1', task: task(2), token: old });
    expect(await agent.sync()).toMatchObject({ drop: [{ task: task(2), token: old }] });
  });

  it('is dropped when its dispatch is unknown', async () => {
    expect(await (await claimOf(dispatchId(9))).sync()).toMatchObject({ drop: [{ token: old }] });
  });

  it('is kept while only the supervisor of its dispatch is away', async () => {
    world.results.write({ op: 'accept', spec: specOf(id), contentDigest: inputsDigest });
    world.results.write({ op: 'epoch', epoch: epoch.value });
    world.system.stop(`n1.lattice.${id}`);
    const agent = await claimOf(id);
    listen();
    expect(await agent.sync()).toMatchObject({ drop: [] });
    await settle();
    expect(claims()).toEqual([1]);
  });

  it('is told again to a supervisor that begins again, while nobody has decided it', async () => {
    const agent = await claimOf(id);
    agent.run = [listed(1, old), listed(2, old)];
    await agent.sync();
    tell({ type: 'attempt.refused', agent: 'lab.a1', task: task(2), token: old });
    await settle();
    lattice.splice(0);
    tell({ type: 'lattice.resumed', dispatch: id });
    tell({ type: 'lattice.resumed', dispatch: dispatchId(7) });
    await settle();
    expect(claims()).toEqual([1]);
  });

  it('keeps its outcome until the first sync has told what else its agent has', async () => {
    matchmaker.stop();
    begin({ roster: [{ agent: 'lab.a1', epoch: 1 }] });
    const agent = new FakeAgent(world.network);
    expect(await agent.done(outcome(1, old))).toEqual({ all: 'later' });
    expect(heard(1)).toEqual([]);
    await agent.sync();
    void agent.done(outcome(1, old));
    await settle();
    expect(heard(1)).toMatchObject([{ type: 'attempt.finished', token: old }]);
  });
});
