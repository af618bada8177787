/** The matchmaker between electrons and agents on an in-memory bus: M1, M2, and H2–H7, H10 of docs/protocol.md. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PolaronError } from '../../../model/errors.ts';
import { taskIdOf } from '../../../model/ids.ts';
import { decodeNumber, keys } from '../../../store/records.ts';
import { until } from '../../support/until.ts';
import { FakeAgent } from '../support/fake-agent.ts';
import { settle } from '../support/fake-clock.ts';
import { dispatchId, specOf } from '../support/hub-world.ts';
import {
  id,
  LEASE,
  inputsDigest,
  task,
  world,
  matchmaker,
  epoch,
  begin,
  tell,
  ready,
  send,
  found,
  heard,
  listed,
  outcome,
  judge,
  join,
} from '../support/matchmaker-rig.ts';

beforeEach(() => begin());
afterEach(() => {
  matchmaker.stop();
  world.close();
});

describe('matching', () => {
  it('gives no more than the slots of all agents together', async () => {
    await join('a1', 2);
    await join('a2', 3);
    await ready([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(found()).toHaveLength(5);
    expect(found().filter(([agent]) => agent === 'lab.a1')).toHaveLength(2);
    await ready([8, 9]);
    expect(found()).toHaveLength(5);
  });

  it('waits for an agent that offers what is asked for', async () => {
    await join('a1');
    tell({
      type: 'match.request',
      dispatch: id,
      nodes: [1],
      requirement: { key: 'gpu\nprocess', capabilities: ['gpu', 'process'] },
      priority: 0,
      user: 'kim',
      root: id,
      resumed: false,
    });
    await ready([2]);
    expect(found()).toEqual([['lab.a1', 2]]);
    expect(matchmaker.unoffered(id)).toEqual([{ needs: ['gpu', 'process'], missing: ['gpu'], electrons: 1 }]);
    expect(matchmaker.unoffered(dispatchId(2))).toEqual([]);
    const gpu = new FakeAgent(world.network, 'gpu');
    await gpu.sync({ capabilities: ['process', 'gpu'] });
    await settle();
    expect(found()).toContainEqual(['lab.gpu', 1]);
    expect(matchmaker.unoffered(id)).toEqual([]);
  });

  it('tells what is not offered by agents that are there: none alone, or none together; a busy one is waited for', async () => {
    const a1 = await join('a1', 1);
    const half = new FakeAgent(world.network, 'half');
    await half.sync({ capabilities: ['gpu'] });
    const needing = (node: number, ...capabilities: string[]): void =>
      tell({
        type: 'match.request',
        dispatch: id,
        nodes: [node, node + 1],
        requirement: { key: capabilities.join('\n'), capabilities },
        priority: 0,
        user: 'kim',
        root: id,
        resumed: false,
      });
    needing(1, 'gpu', 'process');
    needing(3, 'process');
    await settle();
    expect(matchmaker.unoffered(id)).toEqual([{ needs: ['gpu', 'process'], missing: [], electrons: 2 }]);
    await world.clock.advance(LEASE - 1);
    await half.sync({ capabilities: ['gpu'] });
    await world.clock.advance(2_000);
    expect(a1.name).toBe('a1');
    expect(matchmaker.unoffered(id)).toEqual([
      { needs: ['gpu', 'process'], missing: ['process'], electrons: 2 },
      { needs: ['process'], missing: ['process'], electrons: 1 },
    ]);
  });

  it('goes on when a place is free again: refused, abandoned, ended', async () => {
    const agent = await join('a1', 1);
    agent.answer = ({ tasks }) => ({ refused: tasks.map((one) => ({ task: one.task, reason: 'busy' })) });
    await ready([0, 1, 2, 3]);
    send(0);
    await until(() => heard(0).length > 0, 'the refusal');
    expect(heard(0)).toEqual([{ type: 'attempt.lost', token: [100, 1], reason: 'refused', charged: false }]);
    await settle();
    expect(found().map(([, node]) => node)).toEqual([0, 1]);
    tell({ type: 'attempt.abandoned', agent: 'lab.a1', task: task(1) });
    await settle();
    expect(found().map(([, node]) => node)).toEqual([0, 1, 2]);
    agent.answer = () => ({ refused: [] });
    send(2);
    await settle();
    void agent.done(outcome(2));
    await settle();
    judge(1, 2);
    await settle();
    expect(found().map(([, node]) => node)).toEqual([0, 1, 2, 3]);
  });

  it('gets back what it gave to a dispatch that ended meanwhile', async () => {
    await join('a1', 2);
    world.system.stop(`n1.lattice.${id}`);
    await ready([0, 1, 2]);
    expect(world.dead.map(({ message }) => message.type)).toContain('match.found');
    expect(matchmaker.agents().map((agent) => agent.running)).toEqual([0]);
  });

  it('pauses while too many records wait for the disk', async () => {
    matchmaker.stop();
    begin({ flush: 'manual', maxBacklog: 5 });
    const agent = new FakeAgent(world.network);
    await agent.sync();
    world.store.flush();
    await settle();
    world.results.write(...Array.from({ length: 6 }, () => ({ op: 'epoch' as const, epoch: 1 })));
    await ready([1]);
    expect(found()).toEqual([]);
    world.store.flush();
    await settle();
    world.store.flush();
    await settle();
    expect(found()).toEqual([['lab.a1', 1]]);
  });

  it('forgets what is withdrawn, and takes back what was never sent for a dispatch that is over', async () => {
    await ready([1, 2, 3]);
    tell({ type: 'match.withdraw', dispatch: id, nodes: [1, 3] });
    await join();
    expect(found()).toEqual([['lab.a1', 2]]);
    await ready([4]);
    tell({ type: 'lattice.gone', dispatch: id });
    await ready([]);
    expect(matchmaker.agents()[0]?.running).toBe(0);
  });
});

describe('an agent', () => {
  it('is on disk in the roster before it gets work (H3)', async () => {
    matchmaker.stop();
    begin({ flush: 'manual' });
    await ready([1]);
    const agent = new FakeAgent(world.network);
    await agent.sync({ epoch: 4 });
    expect(found()).toEqual([]);
    world.store.flush();
    await settle();
    expect(found()).toEqual([['lab.a1', 1]]);
    expect(decodeNumber(world.store.get(keys.agent('lab.a1')) ?? new Uint8Array())).toBe(4);
  });

  it('that nobody can reach gives its electrons back uncharged (H4)', async () => {
    const agent = await join();
    await ready([1]);
    agent.deaf();
    send(1);
    await until(() => heard(1).length > 0, 'the electron to come back');
    expect(heard(1)).toEqual([{ type: 'attempt.lost', token: [100, 1], reason: 'no-responders', charged: false }]);
  });

  it('hears nothing more from a hub that has stopped: no assign is repeated', async () => {
    const agent = await join();
    await ready([1]);
    let sent = 0;
    let lose: (error: Error) => void = () => undefined;
    world.bus.request = () => {
      sent++;
      return new Promise((_, reject) => {
        lose = reject;
      });
    };
    send(1);
    await settle();
    matchmaker.stop();
    lose(new PolaronError('REQUEST_TIMEOUT', 'no answer'));
    await settle();
    expect([sent, agent.assigns.length]).toEqual([1, 0]);
  });

  it('that nobody could reach gets nothing new until it syncs', async () => {
    const agent = await join();
    await ready([1]);
    agent.deaf();
    send(1);
    await until(() => heard(1).length > 0, 'the electron to come back');
    await ready([2]);
    expect(found()).toEqual([['lab.a1', 1]]);
    await agent.sync();
    await settle();
    expect(found()).toEqual([
      ['lab.a1', 1],
      ['lab.a1', 2],
    ]);
  });

  it('gets assigns numbered from 1, and after its restart from 1 again', async () => {
    const agent = await join('a1', 5);
    await ready([1, 2, 3]);
    for (const n of [1, 2]) {
      send(n);
      await settle();
    }
    expect(agent.assigns.map(({ n }) => n)).toEqual([1, 2]);
    agent.seen = 0;
    await agent.sync({ epoch: 2, instance: 'a1.boot2' });
    await settle();
    expect([heard(1), heard(2), heard(3)].map((messages) => messages.map(({ type }) => type))).toEqual([
      ['attempt.lost'],
      ['attempt.lost'],
      [],
    ]);
    send(3);
    await settle();
    expect(agent.assigns.map(({ n, epoch: boot }) => [n, boot])).toEqual([
      [1, 1],
      [2, 1],
      [1, 2],
    ]);
  });

  it('loses what it has seen and does not list, charged (H5)', async () => {
    const agent = await join();
    await ready([1, 2]);
    send(1);
    send(2);
    await settle();
    agent.run = [listed(2)];
    await agent.sync();
    await settle();
    expect(heard(1)).toEqual([{ type: 'attempt.lost', token: [100, 1], reason: 'not-listed', charged: true }]);
    expect(heard(2)).toMatchObject([{ type: 'attempt.started' }]);
  });

  it('gets back what an agent that drains does not list, charged when it had begun (H9)', async () => {
    const agent = await join();
    await ready([1, 2]);
    send(1);
    send(2);
    await settle();
    agent.run = [{ ...listed(1), state: 'queued' }, listed(2)];
    await agent.sync();
    agent.run = [];
    await agent.sync({ draining: true });
    await settle();
    expect(heard(1)).toEqual([{ type: 'attempt.lost', token: [100, 1], reason: 'given-back', charged: false }]);
    expect(heard(2).at(-1)).toEqual({ type: 'attempt.lost', token: [100, 1], reason: 'given-back', charged: true });
  });

  it('gets nothing back from a new life of an agent that drains at once: it never had it (H9)', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    await settle();
    await agent.sync({ draining: true, epoch: 2, instance: 'a1.second' });
    await settle();
    expect(heard(1)).toMatchObject([{ type: 'attempt.lost', reason: 'not-listed', charged: true }]);
  });

  it('is told what to drop only when what that rests on is on disk (H2)', async () => {
    matchmaker.stop();
    begin({ flush: 'manual' });
    const agent = new FakeAgent(world.network);
    await agent.sync();
    world.store.flush();
    await settle();
    world.results.write({ op: 'epoch', epoch: 1 });
    agent.run = [listed(7)];
    let answer: unknown;
    void agent.sync().then((reply) => {
      answer = reply;
    });
    await settle(10);
    expect(answer).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      world.store.flush();
      await settle();
    }
    expect(answer).toMatchObject({ type: 'ok', drop: [{ task: task(7), token: [100, 1] }] });
  });

  it('that does not sync for a lease loses all, by the monotonic clock only (H7)', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    await settle();
    world.clock.wall += 1e9;
    await world.clock.advance(LEASE - 2_000);
    world.clock.wall -= 2e9;
    expect(heard(1)).toEqual([]);
    agent.run = [listed(1)];
    await agent.sync();
    await world.clock.advance(LEASE - 1_000);
    expect(heard(1).map(({ type }) => type)).toEqual(['attempt.started']);
    await world.clock.advance(3_000);
    expect(heard(1)).toContainEqual({ type: 'attempt.lost', token: [100, 1], reason: 'agent-lost', charged: true });
    expect(matchmaker.agents()).toEqual([]);
    await ready([2]);
    expect(found()).toEqual([['lab.a1', 1]]);
  });

  it('that the hub could not hear keeps what it has: off the bus, and when the hub itself stood still (H7)', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    await settle();
    matchmaker.heard(false);
    await world.clock.advance(10 * LEASE);
    matchmaker.heard(true);
    await world.clock.advance(LEASE - 1_000);
    expect(heard(1)).toEqual([]);
    agent.run = [listed(1)];
    await agent.sync();
    // a halted process: its timers are late, and what it was sent is still unread
    world.clock.mono += 2 * LEASE;
    await world.clock.advance(LEASE - 1_000);
    expect(heard(1).map(({ type }) => type)).toEqual(['attempt.started']);
    await world.clock.advance(3_000);
    expect(heard(1).map(({ type }) => type)).toEqual(['attempt.started', 'attempt.lost']);
  });

  it('that has seen a higher hub epoch makes the hub take a greater one first, on disk', async () => {
    const agent = await join('a1', 5);
    await ready([1, 2, 3]);
    send(1);
    await settle();
    expect((await agent.sync({ hub: 500, seen: 3, run: [listed(1)] })).type).toBe('not-ready');
    await settle();
    expect([epoch.value, decodeNumber(world.store.get(keys.hubEpoch) ?? new Uint8Array())]).toEqual([501, 501]);
    send(2, 'lab.a1', [501, 1]);
    await settle();
    expect(agent.assigns.at(-1)).toMatchObject({ hub: 501, n: 1 });
    await agent.sync({ hub: 501, seen: 1, run: [listed(2, [501, 1])] });
    await settle();
    expect(heard(1).map(({ type }) => type)).toEqual(['attempt.lost']);
    expect(heard(2).map(({ type }) => type)).toEqual(['attempt.started']);
  });

  it('of another history is not believed about the hub epoch', async () => {
    const agent = new FakeAgent(world.network);
    expect((await agent.sync({ hub: 9_999, history: 'another' })).type).toBe('ok');
    await settle();
    expect(epoch.value).toBe(100);
  });
});

describe('an outcome', () => {
  it('goes to its electron, and is answered when all of its report are judged', async () => {
    const agent = await join();
    await ready([1, 2]);
    send(1);
    send(2);
    await settle();
    let answer: unknown;
    void agent.done(outcome(1), outcome(2)).then((reply) => {
      answer = reply;
    });
    await settle();
    expect(heard(1)).toMatchObject([
      { type: 'attempt.finished', task: task(1), agent: 'lab.a1', token: [100, 1], inputsDigest },
    ]);
    judge(1, 1);
    await settle();
    expect(answer).toBeUndefined();
    judge(1, 2, 'stale');
    await settle();
    expect(answer).toMatchObject({
      verdicts: [
        { task: task(1), verdict: 'committed' },
        { task: task(2), verdict: 'stale' },
      ],
    });
  });

  it('is answered with one word when one verdict is on all', async () => {
    const agent = await join();
    const answer = agent.done(outcome(50), outcome(51));
    expect(await answer).toEqual({ all: 'unknown' });
  });

  it('for an electron that nobody works on is judged from the records', async () => {
    const agent = await join();
    world.results.write({ op: 'accept', spec: specOf(id), contentDigest: inputsDigest });
    const base = { attempt: 1, failures: 0, losses: 0, seq: 1, agent: 'lab.a1' as const, token: [100, 1] as const };
    world.results.write({ op: 'electron', id, node: 50, was: undefined, record: { ...base, status: 'completed' } });
    world.results.write({ op: 'electron', id, node: 51, was: undefined, record: { ...base, status: 'assigned' } });
    const gone = { ...outcome(1), task: taskIdOf(dispatchId(9), 1) };
    const reply = await agent.done(outcome(50), outcome(50, [100, 2]), outcome(51), outcome(52), gone);
    if ('all' in reply) throw new Error(reply.all);
    expect(reply.verdicts.map(({ task: one, verdict }) => [one, verdict]).sort()).toEqual(
      [
        [task(50), 'duplicate'],
        [task(50), 'stale'],
        [task(51), 'later'],
        [task(52), 'stale'],
        [gone.task, 'unknown'],
      ].sort(),
    );
  });

  it('report without any is answered at once', async () => {
    expect(await (await join()).done()).toEqual({ verdicts: [] });
  });
});

describe('H10: a cancel', () => {
  const cancel = (n: number): void =>
    tell({ type: 'attempt.cancel', agent: 'lab.a1', task: task(n), token: [100, 1], reason: 'enough' });

  it('is told to the agent after the flush, and repeated in sync answers until it is not listed', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    await settle();
    cancel(1);
    await settle();
    expect(agent.cancels).toMatchObject([
      { tasks: [{ task: task(1), token: [100, 1], reason: 'enough', revoke: false }] },
    ]);
    agent.run = [listed(1)];
    expect(await agent.sync()).toMatchObject({ cancel: [{ task: task(1) }] });
    expect(await agent.sync()).toMatchObject({ cancel: [{ task: task(1) }] });
    agent.run = [];
    await agent.sync();
    await settle();
    expect(heard(1).at(-1)).toMatchObject({ type: 'attempt.lost', reason: 'not-listed' });
  });

  it('that the agent answers with stopped is settled at once', async () => {
    const agent = await join();
    agent.stop = ({ tasks }) => ({ stopped: tasks.map((one) => one.task), stopping: [] });
    await ready([1]);
    send(1);
    await settle();
    cancel(1);
    await settle();
    expect(heard(1)).toEqual([{ type: 'attempt.stopped', token: [100, 1], confirmed: true }]);
    expect(matchmaker.agents()[0]?.running).toBe(0);
  });

  it('of an attempt that waits to be sent stops it before it leaves', async () => {
    const agent = await join();
    await ready([1]);
    send(1);
    cancel(1);
    await settle();
    expect(agent.assigns).toEqual([]);
    expect(heard(1)).toEqual([{ type: 'attempt.stopped', token: [100, 1], confirmed: true }]);
    expect(matchmaker.agents()[0]?.running).toBe(0);
  });

  it('of one that no agent has is settled at once', async () => {
    cancel(4);
    await settle();
    expect(heard(4)).toEqual([{ type: 'attempt.stopped', token: [100, 1], confirmed: true }]);
  });
});
