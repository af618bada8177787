/** What an agent decides, rule by rule: A1 of protocol.md, invariants S1–S6 of state.ts. Pure. */
import { describe, expect, it } from 'vitest';
import type { Assign, AssignedTask, FinishedTask, SyncReply } from '../../../bus/protocol/agent.ts';
import { AgentState } from '../../../executors/agent/state.ts';
import { DEFAULT_RETRY, NO_TIMEOUTS } from '../../../model/graph.ts';
import { isDigest, type Digest } from '../../../model/ids.ts';
import type { Outcome } from '../../../model/outcome.ts';
import { taskId } from '../../support/fake-hub.ts';

const EPOCH = 7;
const HUB = 100;
const HISTORY = 'h1';
const digest = ((): Digest => {
  const text = 'a'.repeat(64);
  if (!isDigest(text)) throw new Error('unreachable');
  return text;
})();
const done: Outcome = { status: 'cancelled', usage: { startedAt: 1, endedAt: 2 } };

function makeState(
  over: { slots?: number; spooled?: FinishedTask[]; joined?: boolean; capabilities?: readonly string[] } = {},
): AgentState {
  const { slots = 4, spooled = [], joined = true, capabilities = [] } = over;
  const state = new AgentState({
    epoch: EPOCH,
    history: joined ? HISTORY : '',
    slots,
    executors: new Set(['process']),
    capabilities,
    spooled,
  });
  if (joined) state.synced(ok());
  return state;
}

const ok = (over: Partial<Extract<SyncReply, { type: 'ok' }>> = {}): SyncReply => ({
  type: 'ok',
  hub: HUB,
  history: HISTORY,
  seq: 1,
  leaseMs: 15_000,
  heartbeatMs: 2_000,
  drop: [],
  cancel: [],
  ...over,
});

const task = (id: number, attempt = 1, hub = HUB): AssignedTask => ({
  task: taskId(id),
  token: [hub, attempt],
  inputsDigest: digest,
  manifest: 0,
  electron: 0,
  name: 'e',
  template: new Uint8Array(),
  inputs: [],
  split: false,
  timeoutMs: 0,
});

const assign = (n: number, tasks: readonly AssignedTask[], over: Partial<Assign> = {}): Assign => ({
  epoch: EPOCH,
  instance: 'folder.boot',
  hub: HUB,
  history: HISTORY,
  n,
  manifests: [
    { dispatch: 'd', user: 'u', lattice: 'l', argv: [], captures: {}, expiresAt: 0, strict: false },
    { dispatch: 'd', user: 'u', lattice: 'l', argv: [], captures: {}, expiresAt: 50, strict: false },
  ],
  electrons: [
    { name: 'e', executor: 'process', needs: [], retries: DEFAULT_RETRY, timeouts: NO_TIMEOUTS },
    { name: 's', executor: 'slurm', needs: [], retries: DEFAULT_RETRY, timeouts: NO_TIMEOUTS },
  ],
  tasks,
  ...over,
});

const reasons = (decision: ReturnType<AgentState['assign']>): string[] =>
  decision.reply.refused.map(({ reason }) => reason);
const cancelOf = (id: number, attempt = 1, revoke = false, hub = HUB) => ({
  hub,
  tasks: [{ task: taskId(id), token: [hub, attempt] as const, reason: 'asked', revoke }],
});
const listed = (state: AgentState): string[] =>
  state
    .list(() => ({ startedAt: 0, progress: undefined }))
    .map((entry) => `${entry.task.split('_')[1]}:${entry.token[1]}:${entry.state}`);

describe('amounts (S8)', () => {
  const electrons = ['memory>=32GiB', 'memory>=96GiB', 'site=cern'].map((need) => ({
    name: 'm',
    executor: 'process',
    needs: [need],
    retries: DEFAULT_RETRY,
    timeouts: NO_TIMEOUTS,
  }));
  const held = (state: AgentState) => state.list(() => ({ startedAt: 0, progress: undefined }));

  it('are taken by what runs and queues, listed, and given back at its end', () => {
    const state = makeState({ capabilities: ['memory=64GiB'] });
    const first = state.assign(assign(1, [task(1), task(2), task(3)], { electrons }), 0);
    expect([first.start.length, reasons(first)]).toEqual([2, ['busy']]);
    expect(held(state).map(({ takes }) => takes)).toEqual([['memory>=32GiB'], ['memory>=32GiB']]);
    state.ended(taskId(1), [HUB, 1], done);
    expect(held(state)[0]?.takes).toBeUndefined();
    expect(reasons(state.assign(assign(2, [task(3, 2), task(4)], { electrons }), 0))).toEqual(['busy']);
  });

  it('of a dropped attempt and of one that a newer replaces are given back once', () => {
    const state = makeState({ capabilities: ['memory=64GiB'] });
    state.assign(assign(1, [task(1), task(2)], { electrons }), 0);
    expect(reasons(state.assign(assign(2, [task(1, 2)], { electrons }), 0))).toEqual([]);
    state.synced(ok({ drop: [{ task: taskId(2), token: [HUB, 1] }] }));
    expect(reasons(state.assign(assign(3, [task(3), task(4)], { electrons }), 0))).toEqual(['busy']);
  });

  it('that it does not have, and labels, are refused for good', () => {
    const state = makeState({ capabilities: ['memory=64GiB', 'site=lab'] });
    const tasks = [
      { ...task(1), electron: 1 },
      { ...task(2), electron: 2 },
    ];
    expect(reasons(state.assign(assign(1, tasks, { electrons }), 0))).toEqual(['capability', 'capability']);
  });
});

describe('an assign', () => {
  it('is taken and listed until its verdict', () => {
    const state = makeState();
    const decision = state.assign(assign(1, [task(1), task(2)]), 10);
    expect(decision.start.map((one) => one.task)).toEqual([taskId(1), taskId(2)]);
    expect(decision.start.map((one) => one.task)).toEqual([taskId(1), taskId(2)]);
    expect(listed(state)).toEqual(['1:1:queued', '2:1:queued']);
    expect(state.ended(taskId(1), [HUB, 1], done)).toMatchObject({ task: taskId(1), inputsDigest: digest });
    expect(listed(state)).toEqual(['1:1:done', '2:1:queued']);
    expect(state.judged(taskId(1), [HUB, 1], 'later')).toBe(false);
    expect(state.judged(taskId(1), [HUB, 1], 'missing')).toBe(false);
    expect(listed(state)).toHaveLength(2);
    for (const verdict of ['committed', 'duplicate', 'stale', 'unknown'] as const)
      expect(state.judged(taskId(1), [HUB, 1], verdict)).toBe(true);
    expect(listed(state)).toEqual(['2:1:queued']);
  });

  it('that was dropped while its report was under way is settled by any verdict: it is not reported for ever', () => {
    const state = makeState();
    state.assign(assign(1, [task(1)]), 0);
    state.ended(taskId(1), [HUB, 1], done);
    const drop = [{ task: taskId(1), token: [HUB, 1] as const }];
    state.synced(ok({ drop }));
    expect(state.judged(taskId(1), [HUB, 1], 'later')).toBe(true);
  });

  it('of another agent epoch starts nothing (S1)', () => {
    const state = makeState();
    for (const epoch of [EPOCH - 1, EPOCH + 1])
      expect(reasons(state.assign(assign(1, [task(1)], { epoch }), 0))).toEqual(['epoch']);
    expect(state.assign(assign(1, [task(1)]), 0).start).toHaveLength(1);
  });

  it('of a lower hub epoch starts nothing; a higher one is adopted and counts from 1 again (S1)', () => {
    const state = makeState();
    state.assign(assign(1, [task(1)]), 0);
    const next = state.assign(assign(1, [task(2, 1, HUB + 5)], { hub: HUB + 5 }), 0);
    expect(next.start.map((one) => one.task)).toEqual([taskId(2)]);
    expect(state).toMatchObject({ hub: HUB + 5, seen: 1 });
    expect(reasons(state.assign(assign(2, [task(3)]), 0))).toEqual(['epoch']);
  });

  it('of another history starts nothing and asks for a sync (S1)', () => {
    const state = makeState();
    const decision = state.assign(assign(1, [task(1)], { history: 'h2' }), 0);
    expect(reasons(decision)).toEqual(['epoch']);
    expect(decision.syncNow).toBe(true);
    expect(reasons(makeState({ joined: false }).assign(assign(1, [task(1)]), 0))).toEqual(['epoch']);
  });

  it('is carried out once per number; a repeat gets the first answer (S2)', () => {
    const state = makeState({ slots: 1 });
    const first = state.assign(assign(1, [task(1), task(2)]), 0);
    expect(first.reply).toEqual({ refused: [{ task: taskId(2), reason: 'busy' }] });
    state.ended(taskId(1), [HUB, 1], done);
    state.judged(taskId(1), [HUB, 1], 'committed');
    const repeat = state.assign(assign(1, [task(1), task(2)]), 0);
    expect(repeat.reply).toEqual(first.reply);
    expect(repeat.start).toEqual([]);
  });

  it('of an older or the same token starts nothing (S3)', () => {
    const state = makeState();
    state.assign(assign(1, [task(1, 2)]), 0);
    expect(reasons(state.assign(assign(2, [task(1, 1)]), 0))).toEqual(['stale']);
    expect(reasons(state.assign(assign(3, [task(1, 2)]), 0))).toEqual(['stale']);
    state.ended(taskId(1), [HUB, 2], done);
    state.judged(taskId(1), [HUB, 2], 'committed');
    expect(reasons(state.assign(assign(4, [task(1, 2)]), 0))).toEqual(['stale']);
  });

  it('of a newer token replaces the older attempt (S3, S5)', () => {
    const state = makeState();
    state.assign(assign(1, [task(1, 1)]), 0);
    const decision = state.assign(assign(2, [task(1, 2)]), 0);
    expect(decision.replaced.map(({ token }) => token)).toEqual([[HUB, 1]]);
    expect(listed(state)).toEqual(['1:2:queued']);
    expect(state.ended(taskId(1), [HUB, 1], done)).toBeUndefined();
  });

  it('refused as busy may come again with the same token', () => {
    const state = makeState({ slots: 1 });
    state.assign(assign(1, [task(1), task(2)]), 0);
    state.ended(taskId(1), [HUB, 1], done);
    expect(state.assign(assign(2, [task(2)]), 0).start.map((one) => one.task)).toEqual([taskId(2)]);
  });

  it('is taken up to slots and queue; what is done counts for nothing (S6)', () => {
    const state = makeState({ slots: 2 });
    state.queueLimit = 1;
    expect(reasons(state.assign(assign(1, [task(1), task(2), task(3), task(4)]), 0))).toEqual(['busy']);
    state.ended(taskId(1), [HUB, 1], done);
    expect(state.assign(assign(2, [task(5), task(6)]), 0).reply).toEqual({
      refused: [{ task: taskId(6), reason: 'busy' }],
    });
  });

  it('for an executor that is not here, of an expired manifest, or while draining is refused', () => {
    const state = makeState();
    expect(reasons(state.assign(assign(1, [{ ...task(1), electron: 1 }]), 0))).toEqual(['capability']);
    expect(reasons(state.assign(assign(2, [{ ...task(1), manifest: 1 }]), 51))).toEqual(['stale']);
    expect(state.assign(assign(3, [{ ...task(2), manifest: 1 }]), 49).start).toHaveLength(1);
    state.draining = true;
    expect(reasons(state.assign(assign(4, [task(1)]), 0))).toEqual(['draining']);
  });
});

describe('a cancel', () => {
  it('for an unseen token is remembered: it never starts (S4)', () => {
    const state = makeState();
    expect(state.cancel(cancelOf(1)).stopped).toEqual([taskId(1)]);
    expect(reasons(state.assign(assign(1, [task(1)]), 0))).toEqual(['stale']);
    expect(state.assign(assign(2, [task(1, 2)]), 0).start.map((one) => one.task)).toEqual([taskId(1)]);
  });

  it('stops what is held, and counts what has ended as stopped', () => {
    const state = makeState();
    state.assign(assign(1, [task(1), task(2)]), 0);
    state.ended(taskId(2), [HUB, 1], done);
    expect(state.cancel(cancelOf(1)).stop).toMatchObject([
      { held: { task: taskId(1) }, reason: 'asked', revoke: false },
    ]);
    expect(state.cancel(cancelOf(2))).toEqual({ stop: [], stopped: [taskId(2)] });
    expect(listed(state)).toContain('2:1:done');
  });

  it('for an older token leaves the newer attempt alone; one for a newer token ends the older', () => {
    const state = makeState();
    state.assign(assign(1, [task(1, 2)]), 0);
    expect(state.cancel(cancelOf(1, 1))).toMatchObject({ stop: [], stopped: [taskId(1)] });
    expect(state.cancel(cancelOf(1, 3, true)).stop).toMatchObject([{ held: { token: [HUB, 2] }, revoke: false }]);
    expect(reasons(state.assign(assign(2, [task(1, 3)]), 0))).toEqual(['stale']);
  });

  it('of an older hub is not heard', () => {
    const state = makeState();
    state.assign(assign(1, [task(1)]), 0);
    expect(state.cancel(cancelOf(1, 1, false, HUB - 1))).toEqual({ stop: [], stopped: [] });
  });

  it('that revokes gives back: the task is gone and its place free', () => {
    const state = makeState({ slots: 1 });
    state.assign(assign(1, [task(1)]), 0);
    const [revoked] = state.cancel(cancelOf(1, 1, true)).stop;
    expect(revoked?.revoke).toBe(true);
    if (revoked !== undefined) state.revoked(revoked.held);
    expect(listed(state)).toEqual([]);
    expect(state.assign(assign(2, [task(2)]), 0).start).toHaveLength(1);
  });
});

it('a cancel that revokes says nothing of what has ended: its outcome is on its way', () => {
  const state = makeState();
  state.assign(assign(1, [task(1)]), 0);
  state.ended(taskId(1), [HUB, 1], done);
  expect(state.cancel(cancelOf(1, 1, true))).toEqual({ stop: [], stopped: [] });
  expect(listed(state)).toEqual(['1:1:done']);
});

describe('the answer to a sync', () => {
  it('drops and cancels exactly the tokens that it names', () => {
    const state = makeState();
    state.assign(assign(1, [task(1), task(2), task(3)]), 0);
    const decision = state.synced(
      ok({
        drop: [
          { task: taskId(1), token: [HUB, 1] },
          { task: taskId(2), token: [HUB, 9] },
        ],
        cancel: [{ task: taskId(3), token: [HUB, 1], reason: 'asked' }],
      }),
    );
    expect(decision).toMatchObject({
      type: 'joined',
      newHistory: false,
      dropped: [{ task: taskId(1) }],
      cancel: [{ held: { task: taskId(3) }, reason: 'asked' }],
    });
    expect(listed(state)).toEqual(['2:1:queued', '3:1:queued']);
  });

  it('of another history drops all work of the old, outcomes included', () => {
    const spooled: FinishedTask[] = [{ task: taskId(9), token: [HUB, 1], inputsDigest: digest, outcome: done }];
    const state = makeState({ spooled });
    state.assign(assign(1, [task(1)]), 0);
    const decision = state.synced(ok({ history: 'h2', hub: 1 }));
    expect(decision).toMatchObject({
      type: 'joined',
      newHistory: true,
      forgotten: [{ task: taskId(9) }, { task: taskId(1) }],
    });
    expect(listed(state)).toEqual([]);
    expect(state).toMatchObject({ history: 'h2', hub: 1, unfinished: 0 });
    expect(state.assign(assign(1, [task(1, 1, 1)], { history: 'h2', hub: 1 }), 0).start).toHaveLength(1);
  });

  it('of an older hub of the same history changes nothing', () => {
    const state = makeState();
    state.assign(assign(1, [task(1)]), 0);
    expect(state.synced(ok({ hub: HUB - 1, drop: [{ task: taskId(1), token: [HUB, 1] }] }))).toEqual({
      type: 'ignore',
    });
    expect(listed(state)).toHaveLength(1);
  });

  it('of a first join keeps what was spooled under the same history', () => {
    const spooled: FinishedTask[] = [{ task: taskId(9), token: [HUB, 1], inputsDigest: digest, outcome: done }];
    expect(listed(makeState({ spooled }))).toEqual(['9:1:done']);
  });

  it('`epoch-low: n` takes n + 1, and numbers count from 1 again', () => {
    const state = makeState();
    state.assign(assign(1, [task(1)]), 0);
    expect(state.synced({ type: 'epoch-low', n: 20 })).toEqual({ type: 'epoch', epoch: 21 });
    expect(state).toMatchObject({ epoch: 21, seen: 0 });
    expect(state.assign(assign(1, [task(2)], { epoch: 21 }), 0).start).toHaveLength(1);
  });

  it('refusals end the agent, `not-ready` asks again', () => {
    const state = makeState();
    expect(state.synced({ type: 'name-taken', host: 'h', pid: 1 })).toEqual({ type: 'end', why: 'name-taken' });
    expect(state.synced({ type: 'superseded' })).toEqual({ type: 'end', why: 'superseded' });
    expect(state.synced({ type: 'not-ready' })).toEqual({ type: 'again-soon' });
  });
});
