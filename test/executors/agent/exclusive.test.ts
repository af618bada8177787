/** A3: what an agent that has lost its hub does with exclusive electrons, and what holds keys when it is dropped. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Assign, AssignReply, SyncReply } from '../../../bus/protocol/agent.ts';
import { AssignWindow } from '../../../executors/agent/assign-window.ts';
import { Fuse } from '../../../executors/agent/fuse.ts';
import { FakeClock } from '../../actors/support/fake-clock.ts';
import { startHarness, type Harness } from '../../support/agent-harness.ts';
import { taskId, type FakeHub, type TaskSpec } from '../../support/fake-hub.ts';
import { until } from '../../support/until.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const LEASE = 3_000;
const ok = (hub: FakeHub): SyncReply => {
  const { hub: epoch, history, drop } = hub;
  const ms = { leaseMs: LEASE, heartbeatMs: 100 };
  return { type: 'ok', hub: epoch, history, seq: 1, ...ms, drop, cancel: [] };
};
async function start(): Promise<Harness> {
  harness = await startHarness({ graceMs: 60_000 }, (hub) => {
    hub.syncAnswer = () => ok(hub);
  });
  await harness.agent.joined;
  return harness;
}
/** With a key for each, and `exclusive` for the first. */
function assign(hub: FakeHub, tasks: Readonly<Record<number, TaskSpec>>): Promise<AssignReply> {
  const plain = hub.compose(tasks);
  const assigned: Assign = {
    ...plain,
    electrons: plain.electrons.map((electron, i) => (i === 0 ? { ...electron, exclusive: true } : electron)),
    tasks: plain.tasks.map((task) => ({ ...task, holds: [{ key: `kim/${task.name}`, limit: 1 }] })),
  };
  return hub.send(assigned);
}
const states = (hub: FakeHub): string[] => (hub.syncs.at(-1)?.run ?? []).map(({ task, state }) => `${task} ${state}`);
const runners = ({ dir }: Harness): readonly string[] => readdirSync(join(dir, 'runners', '1'));

describe('an exclusive electron', { timeout: 60_000 }, () => {
  it('is killed when the hub has not answered for most of a lease, deaf as it may be; others run on', async () => {
    const it = await start();
    const { hub } = it;
    expect(await assign(hub, { 1: { electron: 'forever' }, 2: { electron: 'sleep', args: [60_000, 1] } })).toEqual({
      refused: [],
    });
    await until(() => states(hub).filter((state) => state.endsWith('running')).length === 2, 'both run');
    expect(hub.syncs.at(-1)?.run[0]?.holds).toEqual([{ key: 'kim/forever', limit: 1 }]);
    expect(runners(it)).toHaveLength(2);
    hub.syncAnswer = () => ({ type: 'not-ready' });
    await until(() => states(hub).length === 1, 'it is listed no more', LEASE);
    expect(states(hub)).toEqual([`${taskId(2)} running`]);
    await until(() => runners(it).length === 1, 'its process is gone', 2_000);
    expect(hub.outcomes.size).toBe(0);
    // and is not begun again before the hub answers
    const again = { 3: { electron: 'sleep', args: [1, 1] } };
    expect((await assign(hub, again)).refused).toEqual([{ task: taskId(3), reason: 'busy' }]);
    hub.syncAnswer = () => ok(hub);
    const count = hub.syncs.length;
    await hub.when(() => hub.syncs.length > count + 1, 'an answered sync');
    expect((await assign(hub, { 4: { electron: 'sleep', args: [1, 1] } })).refused).toEqual([]);
    await hub.when(() => hub.outcomes.has(taskId(4)), 'it ran');
  });

  it('with any electron that has a key, it is killed without grace when the hub drops it', async () => {
    const it = await start();
    const { hub } = it;
    await assign(hub, { 1: { electron: 'forever' }, 2: { electron: 'forever' } });
    await until(() => states(hub).filter((state) => state.endsWith('running')).length === 2, 'both run');
    hub.drop = [1, 2].map((n) => ({ task: taskId(n), token: [hub.hub, 1] }));
    await until(() => states(hub).length === 0 && runners(it).length === 0, 'both are gone', 10_000);
  });
});

describe('the fuse', () => {
  it('burns 85 % of a lease from the sending of an answered sync, and is lit again by the next', async () => {
    const clock = new FakeClock();
    let burnt = 0;
    const fuse = new Fuse(clock, () => burnt++);
    expect(fuse.burns).toBe(false);
    fuse.renew(clock.monotonic(), 10_000);
    fuse.watch();
    fuse.watch();
    await clock.advance(5_000);
    fuse.renew(clock.monotonic() - 1_000, 10_000);
    // an answer that came late renews nothing
    fuse.renew(clock.monotonic() - 9_000, 10_000);
    await clock.advance(7_400);
    expect([fuse.burns, burnt]).toEqual([true, 0]);
    await clock.advance(200);
    expect([fuse.burns, burnt, clock.waiting]).toEqual([false, 1, 0]);
  });
});

it('an assign that is void starts nothing when it comes late, and holds up no later one', () => {
  const window = new AssignWindow();
  expect([window.meet(1).type, window.meet(4).type, window.seen]).toEqual(['fresh', 'fresh', 1]);
  window.skip(6);
  expect(window.seen).toBe(6);
  expect([2, 3, 5, 6, 7].map((n) => window.meet(n).type)).toEqual(['repeat', 'repeat', 'repeat', 'repeat', 'fresh']);
});
