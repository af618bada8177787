/** The agent's part of the protocol against a fake hub, with real runner processes where tasks run. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startAgent } from '../../../executors/agent/agent.ts';
import { startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { AGENT, SITE, subjects, taskId, type FakeHub } from '../../support/fake-hub.ts';
import { noLog } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';
import { encodeEnvelope } from '../../../bus/codec.ts';
import type { AgentOptions } from '../../../executors/agent/options.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});
async function start(over: Partial<AgentOptions> = {}, prepare?: (hub: FakeHub) => void): Promise<Harness> {
  harness = await startHarness(over, prepare);
  return harness;
}
const last = (hub: FakeHub) => hub.syncs.at(-1);
/** A sync that was sent after now. */
const nextSync = (hub: FakeHub): Promise<void> => {
  const count = hub.syncs.length;
  return hub.when(() => hub.syncs.length > count + 1, 'a further sync');
};
const runStates = (hub: FakeHub): string[] =>
  (last(hub)?.run ?? []).map(({ task, state }) => `${task.split('_')[1]}:${state}`);

describe('joining', { timeout: 30_000 }, () => {
  it('counts each boot, and says who and what it is', async () => {
    const { hub, agent, restart } = await start();
    await agent.joined;
    expect(hub.syncs[0]).toMatchObject({
      epoch: 1,
      slots: 2,
      free: 2,
      queue: 0,
      history: '',
      pid: process.pid,
      run: [],
      capabilities: ['process'],
    });
    await (await restart()).joined;
    expect(last(hub)).toMatchObject({ epoch: 2, history: hub.history });
    expect(new Set(hub.syncs.map(({ instance }) => instance)).size).toBe(2);
  });

  it('waits while the hub is not ready, and takes a higher epoch when its own is known', async () => {
    let answers = 0;
    const { hub, agent, dir } = await start({}, (made) => {
      made.syncAnswer = () => (++answers <= 2 ? { type: 'not-ready' } : { type: 'epoch-low', n: 40 });
    });
    await hub.when(() => last(hub)?.epoch === 41, 'the higher epoch');
    hub.syncAnswer = undefined;
    await agent.joined;
    expect(readFileSync(join(dir, 'epoch'), 'utf8')).toBe('41');
  });

  it('ends with AGENT_NAME_TAKEN when another one has the name', async () => {
    const { agent } = await start({}, (hub) => {
      hub.syncAnswer = () => ({ type: 'name-taken', host: 'elsewhere', pid: 77 });
    });
    await expect(agent.joined).rejects.toMatchObject({
      code: 'AGENT_NAME_TAKEN',
      details: { host: 'elsewhere', pid: 77 },
    });
    expect(await agent.ended).toBe('name-taken');
  });

  it('ends with what both speak when the hub speaks another protocol, at once or later', async () => {
    const { agent } = await start({ version: '0.1.0' }, (hub) => {
      hub.syncAnswer = () => ({ type: 'other-version', protocol: 2, version: '0.2.0' });
    });
    await expect(agent.joined).rejects.toMatchObject({
      code: 'WRONG_VERSION',
      message: expect.stringContaining(
        'this agent (polaron 0.1.0) speaks protocol 1, the hub (polaron 0.2.0) 2',
      ) as unknown,
      help: 'Update the agent: npm install -g polaron@0.2.0',
    });
    expect(await agent.ended).toBe('other-version');
    await harness?.close();
    const later = await start();
    await later.agent.joined;
    later.hub.syncAnswer = () => ({ type: 'other-version', protocol: 0, version: '0.0.1' });
    expect(await later.agent.ended).toBe('other-version');
    expect(later.logs.entries.at(-1)?.message).toContain('speaks protocol 1, the hub (polaron 0.0.1) 0');
  });

  it('ends with CAPABILITY_INVALID and what is wrong when the hub can not read what it offers', async () => {
    const { agent } = await start({}, (hub) => {
      hub.syncAnswer = () => ({ type: 'unreadable-offer', capability: 'gpus~4', problem: 'that is no name' });
    });
    await expect(agent.joined).rejects.toMatchObject({
      code: 'CAPABILITY_INVALID',
      message: expect.stringMatching(
        /^agent s1\.a1: the hub refuses what it offers, which is "gpus~4": that is no name; expected /,
      ) as unknown,
    });
    expect(await agent.ended).toBe('unreadable-offer');
  });

  it('tells its clock, load and round trip, and that it leaves with nothing in hand', async () => {
    const { hub, agent } = await start({ load: () => 0.25 });
    await hub.when(() => (last(hub)?.roundTripMs ?? -1) >= 0, 'a second sync');
    expect(last(hub)).toMatchObject({ load: 0.25 });
    expect(Math.abs((last(hub)?.sentAt ?? 0) - Date.now())).toBeLessThan(5_000);
    expect(last(hub)?.leaving).toBeUndefined();
    await agent.drain();
    expect(last(hub)).toMatchObject({ leaving: true, draining: true, run: [] });
    expect(hub.syncs.filter(({ leaving }) => leaving === true)).toHaveLength(1);
  });

  it('lets what runs end for as long as a drain of its own asks, and a later, shorter one cuts it', async () => {
    const { hub, agent } = await start({ graceMs: 60_000 });
    await agent.joined;
    await hub.assign({ 1: { electron: 'sleep', args: [60_000, 1] } });
    await hub.when(() => last(hub)?.run[0]?.state === 'running', 'it runs');
    void agent.drain(600_000);
    await hub.when(() => last(hub)?.draining === true, 'it drains');
    expect(agent.status().unfinished).toBe(1);
    void agent.drain(50);
    expect(await agent.ended).toBe('drained');
  });

  it('is refused while another process uses the state folder', async () => {
    const { dir, agent } = await start();
    await agent.stop();
    const { startTimeOf } = await import('../../../executors/process/process-table.ts');
    writeFileSync(join(dir, 'agent.pid'), `${process.ppid} ${startTimeOf(process.ppid) ?? ''}`);
    const again = {
      site: SITE,
      name: AGENT,
      slots: 1,
      capabilities: [],
      stateDir: dir,
      clock: realClock,
      log: noLog,
      version: '0',
    };
    await expect(startAgent({ ...again, bus: harness?.bus ?? fail(), subjects })).rejects.toMatchObject({
      code: 'AGENT_NAME_TAKEN',
    });
    writeFileSync(join(dir, 'agent.pid'), '1 another-boot:1');
    const taken = await startAgent({ ...again, bus: harness?.bus ?? fail(), subjects });
    await taken.stop();
  });

  it('stops its work and ends when it is superseded', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    await hub.assign({ 1: { electron: 'sleep', args: [60_000, 1] } });
    hub.syncAnswer = () => ({ type: 'superseded' });
    expect(await agent.ended).toBe('superseded');
  });
});

const fail = (): never => {
  throw new Error('no harness');
};

describe('the sync', { timeout: 30_000 }, () => {
  it('lists what runs, queues and is done, and the numbers seen', async () => {
    const { hub, agent } = await start({ slots: 1 });
    await agent.joined;
    hub.judge = () => 'later';
    await hub.assign({ 1: { electron: 'add', args: [1, 2] } });
    await hub.when(() => hub.verdicts.length > 0, 'the report');
    await hub.assign({ 2: { electron: 'sleep', args: [60_000, 1] } });
    await hub.when(() => runStates(hub).includes('2:running'), 'the running task');
    expect(runStates(hub)).toEqual(['1:done', '2:running']);
    expect(last(hub)).toMatchObject({ seen: 2, hub: hub.hub, free: 0, slots: 1 });
    expect(last(hub)?.run.map(({ startedAt }) => startedAt > 1_600_000_000_000)).toEqual([true, true]);
  });

  it('drops what the hub does not want, without an outcome', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    await hub.assign({ 1: { electron: 'sleep', args: [60_000, 1] }, 2: { electron: 'sleep', args: [60_000, 2] } });
    hub.drop = [{ task: taskId(1), token: [hub.hub, 1] }];
    await hub.when(() => runStates(hub).length === 1, 'the drop');
    expect(last(hub)?.run[0]?.task).toBe(taskId(2));
    await nextSync(hub);
    expect(hub.verdicts).toEqual([]);
  });

  it('cancels what the hub repeats until it is no longer listed', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    await hub.assign({ 1: { electron: 'waitsForAbort' } });
    hub.cancels = [{ task: taskId(1), token: [hub.hub, 1], reason: 'too dear' }];
    expect((await hub.outcome(1)).status).toBe('cancelled');
  });

  it('follows a reconnection and a probe at once', async () => {
    const { hub, agent, bus } = await start({ heartbeatMs: 60_000 });
    await agent.joined;
    bus.disconnect();
    const before = hub.syncs.length;
    bus.reconnect();
    await hub.when(() => hub.syncs.length > before, 'a sync');
    hub.bus.publish(subjects.probe, encodeEnvelope('hub.n1', {}));
    await hub.when(() => hub.syncs.length > before + 1, 'another sync');
  });

  it('of a hub with another history drops all work and outcomes of the old', async () => {
    const { hub, agent, dir, restart } = await start();
    await agent.joined;
    hub.judge = () => 'later';
    await hub.assign({ 1: { electron: 'add', args: [1, 2] }, 2: { electron: 'sleep', args: [60_000, 1] } });
    await hub.when(() => hub.verdicts.length > 0, 'the report');
    hub.history = 'history-2';
    hub.hub = 3;
    hub.n = 0;
    await hub.when(() => last(hub)?.history === 'history-2' && runStates(hub).length === 0, 'a clean sync');
    expect(readFileSync(join(dir, 'history'), 'utf8')).toBe('history-2');
    // also on disk, for an agent that is killed now
    expect(statSync(join(dir, 'spool')).size).toBe(0);
    hub.judge = () => 'committed';
    await hub.assign({ 1: { electron: 'add', args: [4, 5] } });
    expect(valueOf(await hub.outcome(1))).toBe(9);
    await until(() => agent.status().unacknowledged === 0, 'an empty spool');
    await (await restart()).joined;
    expect((await hub.firstSync(2)).run).toEqual([]);
  });
});

describe('an assign', { timeout: 30_000 }, () => {
  it('that is repeated runs once and is answered the same', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    const assign = hub.compose({ 1: { electron: 'add', args: [1, 2] } });
    const answers = await Promise.all([hub.send(assign), hub.send(assign), hub.send(assign)]);
    expect(answers).toEqual(Array.from({ length: 3 }, () => ({ refused: [] })));
    await hub.outcome(1);
    expect(await hub.send(assign)).toEqual(answers[0]);
    await nextSync(hub);
    expect(hub.verdicts).toHaveLength(1);
  });

  it('of a stale token or another epoch is refused', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    await hub.assign({ 1: { electron: 'sleep', args: [60_000, 1], attempt: 3 } });
    expect((await hub.assign({ 1: { electron: 'noop', attempt: 2 } })).refused).toEqual([
      { task: taskId(1), reason: 'stale' },
    ]);
    expect((await hub.send(hub.compose({ 2: { electron: 'noop' } }, { epoch: 0 }))).refused).toEqual([
      { task: taskId(2), reason: 'epoch' },
    ]);
    expect((await hub.send(hub.compose({ 2: { electron: 'noop' } }, { hub: 1 }))).refused).toEqual([
      { task: taskId(2), reason: 'epoch' },
    ]);
  });

  it('for another process of this name is left to that: not a word, since the first answer would count', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    const meant = hub.compose({ 2: { electron: 'noop' } }, { instance: 'another.boot' });
    await expect(hub.send(meant, 300)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  it('that makes no sense is dropped, counted and said once', async () => {
    const { hub, agent, logs } = await start();
    await agent.joined;
    const subject = subjects.down(SITE, AGENT, 'assign');
    for (const data of [Buffer.from('garbage'), encodeEnvelope('hub.n1', { epoch: 'one' }), new Uint8Array(0)])
      hub.bus.publish(subject, data);
    await until(() => agent.status().dropped === 3, 'three dropped messages');
    expect(logs.entries.filter(({ message }) => message.includes('dropped a message'))).toHaveLength(1);
    await hub.assign({ 1: { electron: 'add', args: [1, 1] } });
    expect(valueOf(await hub.outcome(1))).toBe(2);
  });
});

describe('a cancel', { timeout: 30_000 }, () => {
  it('aborts the signal of what runs; the outcome is cancelled whatever the function returns', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    await hub.assign({ 1: { electron: 'waitsForAbort' } });
    await hub.when(() => runStates(hub).includes('1:running'), 'it to run');
    expect(await hub.cancel([1])).toEqual({ stopped: [], stopping: [taskId(1)] });
    expect((await hub.outcome(1)).status).toBe('cancelled');
  });

  it('kills after the grace time what ignores the signal and SIGTERM', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    await hub.assign({ 1: { electron: 'ignoresAbort' }, 2: { electron: 'forever' } });
    await hub.when(() => runStates(hub).length === 2 && !runStates(hub).join().includes('queued'), 'both to run');
    await hub.cancel([1, 2]);
    expect([(await hub.outcome(1)).status, (await hub.outcome(2)).status]).toEqual(['cancelled', 'cancelled']);
  });

  it('for an unseen token keeps it from ever starting', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    expect(await hub.cancel([1])).toEqual({ stopped: [taskId(1)], stopping: [] });
    expect((await hub.assign({ 1: { electron: 'noop' } })).refused).toEqual([{ task: taskId(1), reason: 'stale' }]);
  });

  it('that revokes takes back what queues and leaves alone what runs', async () => {
    const { hub, agent } = await start({ slots: 1 });
    await agent.joined;
    for (let id = 10; id < 30; id++) {
      await hub.assign({ [id]: { electron: 'noop' } });
      await hub.outcome(id);
    }
    await hub.when(() => (last(hub)?.queue ?? 0) > 2, 'a queue');
    await hub.assign({ 1: { electron: 'sleep', args: [300, 'x'] }, 2: { electron: 'sleep', args: [300, 'y'] } });
    await hub.when(() => runStates(hub).includes('1:running'), 'it to run');
    expect(await hub.cancel([1, 2], { revoke: true })).toEqual({ stopped: [taskId(2)], stopping: [] });
    expect(valueOf(await hub.outcome(1))).toBe('x');
    expect(agent.status().unfinished).toBe(0);
    expect(hub.outcomes.has(taskId(2))).toBe(false);
  });
});

describe('outcomes', { timeout: 30_000 }, () => {
  it('are reported again until they are answered, also over a lost connection', async () => {
    const { hub, agent, bus } = await start();
    await agent.joined;
    hub.judge = () => 'silent';
    await hub.assign({ 1: { electron: 'add', args: [1, 2] }, 2: { electron: 'sleep', args: [250, 'late'] } });
    await hub.when(() => hub.verdicts.length > 0, 'a first report');
    bus.disconnect();
    await until(() => agent.status().unacknowledged === 2, 'the other to end out of contact');
    hub.judge = () => 'committed';
    bus.reconnect();
    expect(valueOf(await hub.outcome(1))).toBe(3);
    expect(valueOf(await hub.outcome(2))).toBe('late');
    await until(() => agent.status().unacknowledged === 0, 'an empty spool');
  });

  it('answered `later` are reported again; `stale`, `unknown` and `duplicate` end the matter', async () => {
    const { hub, agent } = await start();
    await agent.joined;
    let first = true;
    hub.judge = ({ task }) => {
      if (task === taskId(1)) return 'stale';
      if (task === taskId(2)) return 'unknown';
      if (task === taskId(3)) return 'duplicate';
      const verdict = first ? 'later' : 'committed';
      first = false;
      return verdict;
    };
    for (const id of [1, 2, 3, 4])
      await hub
        .assignAll({ [id]: { electron: 'add', args: [id, 0] } })
        .then(() => hub.when(() => hub.verdicts.some(({ task }) => task === taskId(id)), `${id}`));
    await hub.outcome(4);
    await until(() => agent.status().unacknowledged === 0, 'an empty spool');
    expect(hub.verdicts.map(({ verdict }) => verdict)).toEqual(['stale', 'unknown', 'duplicate', 'later', 'committed']);
  });

  it('survive a restart: they are listed in the first sync and reported', async () => {
    const { hub, agent, restart } = await start();
    await agent.joined;
    hub.judge = () => 'silent';
    await hub.assign({ 1: { electron: 'add', args: [1, 2] }, 2: { electron: 'big', args: [200_000] } });
    await hub.when(() => new Set(hub.verdicts.map(({ task }) => task)).size === 2, 'both reports');
    await restart();
    const sync = await hub.firstSync(2);
    expect(sync.seen).toBe(0);
    expect(sync.run.map(({ task, state }) => [task, state]).sort()).toEqual([
      [taskId(1), 'done'],
      [taskId(2), 'done'],
    ]);
    hub.judge = () => 'committed';
    expect(valueOf(await hub.outcome(1))).toBe(3);
    const big = await hub.outcome(2);
    if (big.status !== 'completed') throw new Error('no value');
    expect(big.value.size).toBeGreaterThan(200_000);
  });
});

describe('a spool that was cut in its middle', { timeout: 30_000 }, () => {
  it('costs a re-run: the agent joins, reports what is whole, and takes the rest again', async () => {
    const { hub, agent, dir, restart } = await start();
    await agent.joined;
    hub.judge = () => 'silent';
    await hub.assign({ 1: { electron: 'add', args: [1, 2] } });
    await hub.when(() => hub.verdicts.length > 0, 'the first report');
    await hub.assign({ 2: { electron: 'add', args: [3, 4] } });
    await hub.when(() => hub.verdicts.some(({ task }) => task === taskId(2)), 'the second report');
    await agent.stop();
    const spool = join(dir, 'spool');
    writeFileSync(spool, readFileSync(spool).subarray(0, -5));
    await (await restart()).joined;
    expect((await hub.firstSync(2)).run.map(({ task, state }) => [task, state])).toEqual([[taskId(1), 'done']]);
    hub.judge = () => 'committed';
    expect(valueOf(await hub.outcome(1))).toBe(3);
    hub.hub++;
    hub.n = 0;
    await hub.assign({ 2: { electron: 'add', args: [3, 4] } });
    expect(valueOf(await hub.outcome(2))).toBe(7);
    expect(harness?.logs.entries.map(({ message }) => message).join()).toMatch(/spool: cut off \d+ bytes/);
  });
});

describe('a drain', { timeout: 30_000 }, () => {
  it('takes nothing new, gives back what queues, finishes, reports and leaves', async () => {
    const { hub, agent } = await start({ slots: 1, graceMs: 5_000 });
    await agent.joined;
    for (let id = 10; id < 30; id++) {
      await hub.assign({ [id]: { electron: 'noop' } });
      await hub.outcome(id);
    }
    await hub.when(() => (last(hub)?.queue ?? 0) > 2, 'a queue');
    await hub.assign({ 1: { electron: 'sleep', args: [300, 'x'] }, 2: { electron: 'sleep', args: [300, 'y'] } });
    await hub.when(() => runStates(hub).includes('1:running'), 'it to run');
    const drained = agent.drain();
    expect((await hub.assign({ 3: { electron: 'noop' } })).refused).toEqual([{ task: taskId(3), reason: 'draining' }]);
    await hub.when(() => last(hub)?.draining === true, 'the hub to know');
    expect(runStates(hub)).toEqual(['1:running']);
    await drained;
    expect(valueOf(await hub.outcome(1))).toBe('x');
    expect(last(hub)).toMatchObject({ draining: true, run: [], free: 0 });
    expect(await agent.ended).toBe('drained');
  });

  it('kills what outlasts the grace time, and does not report it', async () => {
    const { hub, agent } = await start({ graceMs: 100 });
    await agent.joined;
    await hub.assign({ 1: { electron: 'forever' } });
    await agent.drain();
    expect(last(hub)?.run).toEqual([]);
    expect(hub.verdicts).toEqual([]);
  });
});
