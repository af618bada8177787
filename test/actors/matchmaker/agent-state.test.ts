/** What the hub makes of an agent's syncs: the rules of docs/protocol.md by number. */
import { describe, expect, it } from 'vitest';
import { AgentState } from '../../../actors/matchmaker/agent-state.ts';
import { dropped, entry, HUB, LEASE, lost, Talk, task, token } from '../support/talk.ts';

describe('credit', () => {
  it('is none before the agent is recorded in the roster (H3)', () => {
    const talk = new Talk();
    expect(talk.state.credit(talk.now)).toEqual({ free: 0, total: 0 });
    expect(talk.sync().effects).toEqual([{ type: 'joined', epoch: 1, instance: 'folder.boot' }]);
    expect(talk.state.credit(talk.now)).toEqual({ free: 0, total: 0 });
    talk.state.admitted(99);
    expect(talk.state.credit(talk.now).free).toBe(0);
    talk.state.admitted(1);
    expect(talk.state.credit(talk.now)).toEqual({ free: 2, total: 2 });
  });

  it('falls with a match, before anything is sent (M1), and comes back when it is given up', () => {
    const { state, now } = new Talk().join();
    state.reserve(task(1));
    expect(state.credit(now)).toEqual({ free: 1, total: 1 });
    expect(state.unreserve(task(1))).toBe(true);
    expect(state.credit(now)).toEqual({ free: 2, total: 2 });
  });

  it('counts the places in the queue beyond the slots', () => {
    const talk = new Talk().join();
    talk.sync({ queue: 3 });
    for (const n of [1, 2, 3]) talk.send(n);
    expect(talk.state.credit(talk.now)).toEqual({ free: 0, total: 2 });
  });

  it('is there again when the end is reported, before it is judged', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.state.finish(task(1), token(2));
    expect(talk.state.credit(talk.now).free).toBe(1);
    talk.state.finish(task(1), token());
    talk.state.finish(task(1), token());
    expect(talk.state.credit(talk.now).free).toBe(2);
    expect(talk.state.release(task(1), token())).toBe(true);
    expect(talk.state.credit(talk.now).free).toBe(2);
  });

  it('is none for a draining or suspect agent', () => {
    const talk = new Talk().join();
    talk.sync({ draining: true });
    expect([talk.state.state(talk.now), talk.state.credit(talk.now).total]).toEqual(['draining', 0]);
    talk.sync({ draining: false });
    expect(talk.state.state(talk.now + 6_000)).toBe('live');
    expect([talk.state.state(talk.now + 6_001), talk.state.credit(talk.now + 6_001).total]).toEqual(['suspect', 0]);
    expect(talk.state.state(talk.now + LEASE + 1)).toBe('lost');
  });

  it('of an attempt is released by its own token only', () => {
    const talk = new Talk().join();
    talk.send(1, 2);
    expect(talk.state.release(task(1), token(1))).toBe(false);
    expect(talk.state.unreserve(task(1))).toBe(false);
    expect(talk.state.release(task(1), token(2))).toBe(true);
  });
});

describe('H5: a sync', () => {
  it('renews the lease', () => {
    const talk = new Talk().join();
    talk.now += LEASE;
    talk.sync();
    expect(talk.state.state(talk.now + 6_000)).toBe('live');
  });

  it('with a number that is not higher is ignored, and renews nothing', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.now += 10_000;
    for (const seq of [1, 0]) {
      const again = talk.sync({ seq, seen: 9 });
      expect([again.reply.type, again.effects]).toEqual(['ok', []]);
    }
    expect(talk.state.silentMs(talk.now)).toBe(10_000);
    expect(talk.state.held).toBe(1);
  });

  it('is told to drop what it lists and is not current', () => {
    const talk = new Talk().join();
    talk.send(1, 2);
    const answer = talk.sync({ seen: 0, run: [entry(1), entry(2), entry(1, { token: token(2) })] });
    expect(dropped(answer)).toEqual([
      [task(1), token(1)],
      [task(2), token(1)],
    ]);
    expect(lost(answer)).toEqual([]);
  });

  it('tells that an attempt runs, once', () => {
    const talk = new Talk().join();
    talk.send(1);
    expect(talk.sync({ seen: 1, run: [entry(1, { state: 'queued', startedAt: 0 })] }).effects).toEqual([]);
    expect(talk.sync({ seen: 1, run: [entry(1)] }).effects).toEqual([
      { type: 'started', task: task(1), token: token(), startedAt: 5 },
    ]);
    expect(talk.sync({ seen: 1, run: [entry(1)] }).effects).toEqual([]);
  });

  it('makes lost what the agent has seen and does not list', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.send(2);
    const answer = talk.sync({ seen: 1 });
    expect(lost(answer)).toEqual([task(1)]);
    expect(talk.state.holds(task(1))).toBeUndefined();
    expect(talk.state.holds(task(2))).toEqual(token());
  });

  it('has what the agent has not seen sent again', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.send(2);
    expect(talk.sync({ seen: 1, run: [entry(1)] }).effects).toContainEqual({ type: 'resend', above: 1 });
    expect(talk.sync({ seen: 2, run: [entry(1), entry(2)] }).effects).not.toContainEqual(
      expect.objectContaining({ type: 'resend' }),
    );
  });

  it('is answered what was sent, as long as the agent has not seen all of it', () => {
    const talk = new Talk().join();
    expect(talk.sync().reply).not.toHaveProperty('sent');
    talk.send(1);
    talk.send(2);
    expect(talk.sync({ seen: 1, run: [entry(1)] }).reply).toMatchObject({ sent: 2 });
    expect(talk.sync({ hub: HUB - 1, seen: 0, run: [entry(1)] }).reply).not.toHaveProperty('sent');
    expect(talk.sync({ seen: 2, run: [entry(1), entry(2)] }).reply).not.toHaveProperty('sent');
    talk.send(3);
    talk.state.expire();
    // it is told that they are void
    expect(talk.sync({ seen: 2 }).reply).not.toHaveProperty('sent');
  });

  it('that counts for another hub epoch says nothing about what this one sent', () => {
    const talk = new Talk().join();
    talk.send(1);
    const answer = talk.sync({ hub: HUB - 1, seen: 50 });
    expect(answer.effects).toEqual([]);
    expect(talk.state.held).toBe(1);
  });

  it('never makes lost what is matched and not yet sent', () => {
    const talk = new Talk().join();
    talk.state.reserve(task(1));
    expect(lost(talk.sync({ seen: 9 }))).toEqual([]);
    expect(talk.state.held).toBe(1);
  });
});

describe('H6: a newer agent epoch', () => {
  it('keeps what it lists as current, and makes the rest lost, seen or not', () => {
    const talk = new Talk().join();
    for (const n of [1, 2, 3]) talk.send(n);
    const answer = talk.sync({
      epoch: 2,
      seq: 1,
      seen: 0,
      instance: 'folder.boot2',
      run: [entry(2, { state: 'done' })],
    });
    expect(answer.effects[0]).toMatchObject({ type: 'joined', epoch: 2 });
    expect(lost(answer)).toEqual([task(1), task(3)]);
    expect(talk.state.holds(task(2))).toEqual(token());
  });

  it('gets no work until it is recorded again, and assigns are counted anew', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.sync({ epoch: 2, seq: 1, instance: 'folder.boot2' });
    expect(talk.state.credit(talk.now).total).toBe(0);
    talk.state.admitted(1);
    expect(talk.state.credit(talk.now).total).toBe(0);
    talk.state.admitted(2);
    expect([talk.state.credit(talk.now).total, talk.state.nextN()]).toEqual([2, 1]);
  });

  it('is believed at once, within the lease of the process that it replaces', () => {
    const talk = new Talk().join();
    expect(talk.sync({ epoch: 2, seq: 1, instance: 'folder.boot2' }).reply.type).toBe('ok');
    expect(talk.sync({ epoch: 1, seq: 9, instance: 'folder.boot' }).reply).toEqual({ type: 'superseded' });
  });
});

describe('H7: an ended lease', () => {
  it('makes all that the agent had lost, but for what is not sent yet', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.state.recover(task(2), token(4), undefined);
    talk.state.reserve(task(3));
    expect(talk.state.expire()).toEqual([
      { type: 'lost', task: task(1), token: token(), reason: 'agent-lost', charged: true },
      { type: 'lost', task: task(2), token: token(4), reason: 'agent-lost', charged: true },
    ]);
    expect([talk.state.held, talk.state.state(talk.now)]).toEqual([1, 'lost']);
  });

  it('lets the agent come back: it joins again and is told to drop what was lost', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.state.expire();
    const back = talk.sync({ seen: 1, run: [entry(1)] });
    expect(back.effects).toEqual([{ type: 'joined', epoch: 1, instance: 'folder.boot' }]);
    expect(dropped(back)).toEqual([[task(1), token()]]);
    talk.state.admitted(1);
    expect(talk.state.credit(talk.now).free).toBe(2);
  });

  it('goes by the monotonic time that it is given, and by nothing else', () => {
    const talk = new Talk().join();
    expect([talk.state.state(talk.now), talk.state.state(talk.now + LEASE + 1)]).toEqual(['live', 'lost']);
  });
});

describe('H8: after a restart of the hub', () => {
  it('adopts what the first sync lists, and makes lost what it does not', () => {
    const talk = new Talk(1);
    talk.state.recover(task(1), token(1, 50), undefined);
    talk.state.recover(task(2), token(1, 50), undefined);
    const answer = talk.sync({
      hub: 50,
      seen: 40,
      run: [entry(1, { token: token(1, 50) }), entry(3)],
    });
    expect(lost(answer)).toEqual([task(2)]);
    expect(dropped(answer)).toEqual([[task(3), token()]]);
    expect(talk.state.holds(task(1))).toEqual(token(1, 50));
  });

  it('keeps what it knows of an attempt when only the supervisor began again', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.state.recover(task(1), token(), 'cancelled');
    const answer = talk.sync({ seen: 0 });
    expect(lost(answer)).toEqual([]);
    expect(answer.reply).toMatchObject({ cancel: [{ task: task(1), reason: 'cancelled' }] });
  });

  it('counts assigns anew when the hub takes a greater epoch, and lets the next sync tell what became of those before', () => {
    const talk = new Talk().join();
    talk.send(1);
    talk.send(2);
    talk.hub = HUB + 50;
    talk.state.hubEpochRaised();
    const answer = talk.sync({ hub: HUB + 50, seen: 0, run: [entry(1)] });
    expect(lost(answer)).toEqual([task(2)]);
    expect(talk.state.nextN()).toBe(1);
  });
});

describe('H10: a cancel', () => {
  it('is repeated in each answer until the agent does not list the task any more', () => {
    const talk = new Talk().join();
    talk.send(1);
    expect(talk.state.cancel(task(1), token(2), 'no')).toBe(false);
    expect(talk.state.cancel(task(1), token(), 'enough')).toBe(true);
    for (let i = 0; i < 3; i++)
      expect(talk.sync({ seen: 1, run: [entry(1)] }).reply).toMatchObject({
        cancel: [{ task: task(1), token: token(), reason: 'enough' }],
      });
    const gone = talk.sync({ seen: 1 });
    expect([lost(gone), gone.reply]).toMatchObject([[task(1)], { cancel: [] }]);
  });
});

describe('H11: two agents of one name', () => {
  const newer = { instance: 'other.boot', host: 'box2', pid: 9 };

  it('refuse the newer while the older syncs within its lease', () => {
    const talk = new Talk().join();
    talk.now += LEASE;
    expect(talk.sync({ ...newer, epoch: 5, seq: 1 }).reply).toEqual({ type: 'name-taken', host: 'box', pid: 7 });
    expect(talk.sync({}).reply.type).toBe('ok');
  });

  it('let the newer take over after that, and tell the older that it is superseded', () => {
    const talk = new Talk().join();
    talk.now += LEASE + 1;
    talk.state.expire();
    expect(talk.sync({ ...newer, seq: 1 }).reply).toEqual({ type: 'epoch-low', n: 1 });
    expect(talk.sync({ ...newer, epoch: 2, seq: 2 }).reply.type).toBe('ok');
    expect(talk.sync({ seq: 99 }).reply).toEqual({ type: 'superseded' });
    talk.now += LEASE + 1;
    talk.state.expire();
    expect(talk.sync({ seq: 100 }).reply).toEqual({ type: 'superseded' });
  });

  it('are told apart after a restart of the hub by who had the name, though their epochs are equal', () => {
    const state = new AgentState('lab.a1', { leaseMs: LEASE, heartbeatMs: 2_000 }, 1, 0, 'folder.boot');
    const talk = new Talk();
    const other = talk.syncOf({ ...newer, epoch: 1 });
    expect(state.sync(other, 1, HUB, 'h1').reply).toEqual({ type: 'epoch-low', n: 1 });
    expect(state.sync(talk.syncOf({ epoch: 1 }), 2, HUB, 'h1').reply.type).toBe('ok');
  });

  it('have one that never synced take a higher epoch than the hub knows', () => {
    const talk = new Talk(7);
    expect(talk.sync({ epoch: 3 }).reply).toEqual({ type: 'epoch-low', n: 7 });
    expect(talk.sync({ epoch: 8 }).reply.type).toBe('ok');
  });

  it('refuse a third while the newer lives', () => {
    const talk = new Talk().join();
    talk.now += LEASE + 1;
    talk.sync({ ...newer, epoch: 2, seq: 1 });
    expect(talk.sync({ instance: 'third.boot', epoch: 1, seq: 1 }).reply).toMatchObject({
      type: 'name-taken',
      host: 'box2',
    });
  });
});
