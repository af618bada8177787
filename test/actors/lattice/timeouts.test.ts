/** The times that the hub judges (docs/adr/009): queue, total and the dispatch's, in every state of an electron and over restarts of the hub. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ElectronMessage } from '../../../bus/protocol/actors.ts';
import { NO_TIMEOUTS, type RetryPolicy, type Timeouts, type WireGraph } from '../../../model/graph.ts';
import { taskIdOf } from '../../../model/ids.ts';
import type { DispatchSpec } from '../../../model/records.ts';
import { settle } from '../support/fake-clock.ts';
import { def, electron, graphOf } from '../support/graphs.ts';
import { id, LatticeHub } from '../support/lattice-hub.ts';

let hub: LatticeHub | undefined;
afterEach(() => hub?.world.close());

/** `slow` has the timeouts, `after` waits for it, `other` for nobody. */
function graph(timeouts: Partial<Timeouts>, retries: Partial<RetryPolicy> = {}): WireGraph {
  const base = graphOf(['slow', 'after', 'other'], [electron(0), electron(1, [0]), electron(2)], [1, 2]);
  const [slow, ...rest] = base.electrons;
  const policy = { ...def('slow').retries, jitter: 0, ...retries };
  return {
    ...base,
    electrons: [{ ...(slow ?? def('slow')), timeouts: { ...NO_TIMEOUTS, ...timeouts }, retries: policy }, ...rest],
  };
}
const SLOW = 0;

async function start(
  timeouts: Partial<Timeouts>,
  o: { retries?: Partial<RetryPolicy>; fails?: boolean; spec?: Partial<DispatchSpec>; flush?: 'turn' | 'manual' } = {},
): Promise<LatticeHub> {
  const given = { fails: (name: string) => name === 'slow' && o.fails === true, length: () => undefined };
  hub = new LatticeHub(graph(timeouts, o.retries), given, o.spec, o.flush);
  await settle();
  return hub;
}

const assign = async (run: LatticeHub, node = SLOW): Promise<void> => {
  run.ready = run.ready.filter((other) => other !== node);
  run.tell({ type: 'match.found', agent: 'lab.a1', nodes: [node] });
  await settle();
};
const tell = async (run: LatticeHub, message: ElectronMessage): Promise<void> => {
  run.world.system.send(`n1.electron.${id}_${SLOW}`, message, 'n1.matchmaker.main');
  await settle();
};
const tokenOf = (run: LatticeHub): readonly [number, number] => run.attempts.at(-1)?.token ?? [0, 0];
const started = (run: LatticeHub): Promise<void> =>
  tell(run, { type: 'attempt.started', token: tokenOf(run), startedAt: run.world.clock.now() });
const finish = async (run: LatticeHub): Promise<void> => {
  const attempt = run.attempts.pop();
  if (attempt !== undefined) run.end(attempt);
  await settle();
};
const after = async (run: LatticeHub, ms: number): Promise<void> => {
  await run.world.clock.advance(ms);
  await settle();
};
const QUEUED = { status: 'failed', error: { code: 'TIMEOUT', name: 'QueueTimeout' } };
const TOTAL = { status: 'failed', error: { code: 'TIMEOUT', name: 'TotalTimeout' } };

describe('an electron without such an option', () => {
  it('has no actor, no record and no timer until it is matched', async () => {
    const run = await start({ attemptMs: 1_000, silenceMs: 1_000 });
    expect(run.ready.sort()).toEqual([0, 2]);
    expect(run.world.system.has(`n1.electron.${id}_${SLOW}`)).toBe(false);
    expect([run.record(SLOW), run.world.clock.waiting]).toEqual([undefined, await timersOfAnIdleHub()]);
  });
});

async function timersOfAnIdleHub(): Promise<number> {
  const idle = new LatticeHub(graph({}), { fails: () => false, length: () => undefined });
  await settle();
  const { waiting } = idle.world.clock;
  idle.world.close();
  return waiting;
}

describe('timeout.queue', () => {
  it('fails what nobody takes, and its dependents are skipped; the rest goes on', async () => {
    const run = await start({ queueMs: 5_000 }, { retries: { max: 5 } });
    expect(run.record(SLOW)).toMatchObject({ status: 'ready', attempt: 0 });
    await after(run, 4_900);
    expect(run.statuses()).toMatchObject({ slow: 'ready' });
    await after(run, 200);
    expect(run.record(SLOW)).toMatchObject(QUEUED);
    expect(run.record(SLOW)?.error?.message).toBe(
      'electron "slow": was ready and did not run for 5000 ms; add agents or slots, or raise its timeout.queue',
    );
    expect(run.ready).toEqual([2]);
    await run.run(() => 0);
    expect(run.statuses()).toEqual({ slow: 'failed', after: 'skipped', other: 'completed' });
    expect(run.dispatch()).toMatchObject({ status: 'failed', errors: [{ node: 'slow', error: { code: 'TIMEOUT' } }] });
  });

  it('means nothing to what runs, also over a restart of the hub', async () => {
    const run = await start({ queueMs: 5_000 });
    await assign(run);
    await started(run);
    await after(run, 60_000);
    await run.powerCut(60_000);
    await after(run, 60_000);
    expect(run.revoked).toEqual([]);
    await finish(run);
    expect(run.statuses()).toMatchObject({ slow: 'completed' });
  });

  it('asks back what an agent may only queue, until it is given back', async () => {
    const run = await start({ queueMs: 5_000 });
    await assign(run);
    await after(run, 5_100);
    expect([run.revoked, run.record(SLOW)?.status]).toEqual([[SLOW], 'assigned']);
    await after(run, 1_000);
    expect(run.revoked).toEqual([SLOW, SLOW]);
    await tell(run, { type: 'attempt.lost', token: tokenOf(run), reason: 'refused', charged: false });
    expect(run.record(SLOW)).toMatchObject(QUEUED);
    expect(run.world.clock.waiting).toBe(await timersOfAnIdleHub());
  });

  it('lets it run on if it began to run before it could be given back', async () => {
    const run = await start({ queueMs: 5_000 });
    await assign(run);
    await after(run, 5_100);
    await started(run);
    await after(run, 10_000);
    expect(run.revoked).toEqual([SLOW]);
    await finish(run);
    expect(run.statuses()).toMatchObject({ slow: 'completed' });
  });

  it('takes an outcome that comes instead', async () => {
    const run = await start({ queueMs: 5_000 });
    await assign(run);
    await after(run, 5_100);
    await finish(run);
    expect(run.statuses()).toMatchObject({ slow: 'completed' });
  });

  it('counts anew after a back-off and after a loss', async () => {
    const run = await start({ queueMs: 5_000 }, { retries: { max: 5, delayMs: 20_000 }, fails: true });
    await assign(run);
    await finish(run);
    await after(run, 20_100);
    expect(run.statuses()).toMatchObject({ slow: 'retrying' });
    expect(run.ready).toContain(SLOW);
    await after(run, 4_000);
    await assign(run);
    await tell(run, { type: 'attempt.lost', token: tokenOf(run), reason: 'agent-lost', charged: true });
    await after(run, 4_800);
    expect(run.record(SLOW)).toMatchObject({ status: 'ready', failures: 1, losses: 1 });
    await after(run, 300);
    expect(run.record(SLOW)).toMatchObject(QUEUED);
  });

  it('goes on over a restart, and never longer than its length though the wall clock went back', async () => {
    const run = await start({ queueMs: 5_000 });
    await after(run, 2_000);
    await run.powerCut(2_000);
    expect(run.ready).toContain(SLOW);
    await after(run, 900);
    expect(run.statuses()).toMatchObject({ slow: 'ready' });
    await after(run, 200);
    expect(run.record(SLOW)).toMatchObject(QUEUED);
  });

  it('is over at once when the hub was away for longer', async () => {
    const run = await start({ queueMs: 5_000 });
    await run.powerCut(86_400_000);
    await after(run, 1);
    expect(run.record(SLOW)).toMatchObject(QUEUED);
  });

  it('never lasts longer than its length, though the wall clock went back a day', async () => {
    const run = await start({ queueMs: 5_000 });
    await run.powerCut(-86_400_000);
    await after(run, 4_900);
    expect(run.statuses()).toMatchObject({ slow: 'ready' });
    await after(run, 200);
    expect(run.record(SLOW)).toMatchObject(QUEUED);
  });

  it('is nothing to a cancel', async () => {
    const run = await start({ queueMs: 5_000 });
    run.tell({ type: 'lattice.cancel', request: 1, reason: 'enough' });
    await settle();
    expect(run.statuses()).toEqual({ slow: 'cancelled', after: 'cancelled', other: 'cancelled' });
    expect([run.ready, run.world.clock.waiting]).toEqual([[], await timersOfAnIdleHub()]);
  });
});

describe('timeout.total', () => {
  it('fails what is ready or in its back-off, whatever its retries', async () => {
    const run = await start({ totalMs: 10_000 }, { retries: { max: 100, delayMs: 60_000 }, fails: true });
    await assign(run);
    await finish(run);
    expect(run.statuses()).toMatchObject({ slow: 'retrying' });
    await after(run, 10_100);
    expect(run.record(SLOW)).toMatchObject({ ...TOTAL, failures: 1 });
    await after(run, 120_000);
    expect(run.ready).toEqual([2]);
  });

  it('stops what runs, and fails it when it has stopped', async () => {
    const run = await start({ totalMs: 10_000 });
    await assign(run);
    await started(run);
    await after(run, 10_100);
    expect([run.stopsAsked, run.statuses()['slow']]).toEqual([1, 'assigned']);
    await tell(run, { type: 'attempt.stopped', token: tokenOf(run), confirmed: true });
    expect(run.record(SLOW)).toMatchObject(TOTAL);
    expect(run.statuses()).toMatchObject({ after: 'skipped' });
  });

  it('fails it when its agent is lost instead, and keeps the outcome of what had completed before', async () => {
    const run = await start({ totalMs: 10_000 }, { retries: { max: 5 } });
    await assign(run);
    await after(run, 10_100);
    await tell(run, { type: 'attempt.lost', token: tokenOf(run), reason: 'agent-lost', charged: true });
    expect(run.record(SLOW)).toMatchObject({ ...TOTAL, losses: 1, lostWith: ['lab.a1'] });
    hub?.world.close();

    const other = await start({ totalMs: 10_000 });
    await assign(other);
    await after(other, 10_100);
    await finish(other);
    // its stop was asked for: what the harness ends it with is the agent's word that it stopped
    expect(other.record(SLOW)).toMatchObject(TOTAL);
    hub?.world.close();

    const third = await start({ totalMs: 10_000 });
    await assign(third);
    const [attempt] = third.attempts;
    if (attempt === undefined) throw new Error('no attempt');
    await after(third, 10_100);
    await tell(third, {
      type: 'attempt.finished',
      task: taskIdOf(id, SLOW),
      agent: 'lab.a1',
      token: tokenOf(third),
      inputsDigest: attempt.inputsDigest,
      outcome: third.give('slow'),
      receipt: 1,
    });
    expect(third.record(SLOW)).toMatchObject({ status: 'completed' });
  });

  it('stops it again after a restart of the hub, and counts the time that the hub was away', async () => {
    const run = await start({ totalMs: 10_000 });
    await assign(run);
    await after(run, 500);
    expect(run.record(SLOW)).toMatchObject({ status: 'assigned' });
    await run.powerCut(20_000);
    await after(run, 1);
    expect(run.stopsAsked).toBe(1);
    await finish(run);
    expect(run.record(SLOW)).toMatchObject(TOTAL);
  });

  it('allows no retry of what fails when it is over', async () => {
    const run = await start({ totalMs: 10_000 }, { retries: { max: 5, delayMs: 0 } });
    await assign(run);
    await after(run, 9_000);
    run.world.clock.mono += 1_500;
    const attempt = run.attempts.pop();
    if (attempt === undefined) throw new Error('no attempt');
    await tell(run, {
      type: 'attempt.finished',
      ...{ task: taskIdOf(id, SLOW), agent: attempt.agent, token: attempt.token },
      inputsDigest: attempt.inputsDigest,
      outcome: { status: 'failed', error: { code: 'TASK_THREW', message: 'no' }, usage: { startedAt: 1, endedAt: 2 } },
      receipt: 1,
    });
    expect(run.record(SLOW)).toMatchObject({ ...TOTAL, failures: 1 });
  });
});

describe("the dispatch's timeout", () => {
  const spec = (run: number): Partial<DispatchSpec> => ({ timeoutMs: run, acceptedAt: 1_700_000_000_000 });

  it('stops all of it and fails it, naming the timeout first', async () => {
    const run = await start({}, { spec: spec(10_000) });
    await assign(run);
    await after(run, 10_100);
    expect([run.stopsAsked, run.statuses()]).toEqual([
      1,
      { slow: 'cancelling', after: 'cancelled', other: 'cancelled' },
    ]);
    await finish(run);
    expect(run.dispatch()).toMatchObject({ status: 'failed', errors: [{ node: '', error: { code: 'TIMEOUT' } }] });
  });

  it('counts the time that the hub was away, and no more than its length', async () => {
    const run = await start({}, { spec: spec(10_000) });
    await run.powerCut(9_000);
    await after(run, 900);
    expect(run.dispatch().status).toBe('running');
    await after(run, 200);
    expect(run.dispatch()).toMatchObject({ status: 'failed', errors: [{ error: { code: 'TIMEOUT' } }] });
  });
});
