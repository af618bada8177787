/** `createTestHub`: retries, timeouts and cancels on the test's clock, as a user's own test has them. */
import { context, electron, lattice, type WorkflowFailed } from 'polaron';
import { createTestHub, Crash, type InProcessHub } from 'polaron/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

let hub: InProcessHub;
afterEach(() => hub.stop());

const fetchPage = electron(
  { retries: { max: 100, delay: '1h', backoff: 2, maxDelay: '12h', jitter: 0 } },
  function fetchPage(page: number): string {
    if (hub.clock.now() < new Date('2026-01-31T00:00:00Z')) throw new Error('closed in January');
    return `page ${page}`;
  },
);
const crawl = lattice(function crawl(page: number) {
  return { text: fetchPage(page) };
});

describe('a lattice on a test hub', () => {
  it('retries for 30 days in less than a second', async () => {
    hub = await createTestHub();
    const before = process.cpuUsage();
    const id = await hub.dispatch(crawl)(7);
    expect(await hub.client.getValue(id)).toEqual({ text: 'page 7' });
    const { user, system } = process.cpuUsage(before);
    expect(hub.clock.now()).toEqual(new Date('2026-01-31T03:00:00Z'));
    const { attempts } = await (await hub.client.getResult(id)).electrons.get('fetchPage');
    expect(attempts).toBe(64);
    // of this process alone: other work on the machine doesn't count
    expect((user + system) / 1_000).toBeLessThan(1_000);
  });

  it('stands still until the test moves it', async () => {
    hub = await createTestHub();
    const id = await hub.dispatch(crawl)(1);
    expect((await hub.client.getResult(id)).status).toBe('running');
    await hub.clock.advance('29d');
    const early = await hub.client.getResult(id);
    expect([early.status, early.electrons.counts]).toEqual(['running', { retrying: 1 }]);
    expect(hub.clock.now()).toEqual(new Date('2026-01-30T00:00:00Z'));
    await hub.clock.advance('2d');
    expect((await hub.client.getResult(id)).status).toBe('completed');
  });

  it('runs spies and closures of the test, and hands them copies', async () => {
    hub = await createTestHub();
    const seen = vi.fn((list: number[]) => {
      list.push(99);
      return list.length;
    });
    const measure = electron({ name: 'measure' }, (list: number[]) => seen(list));
    const twice = lattice({ name: 'twice' }, (list: number[]) => [measure(list), measure(list)]);
    const result = await hub.client.dispatchSync(twice)([1, 2]);
    expect(result).toMatchObject({ status: 'completed', value: [3, 3] });
    expect(seen).toHaveBeenCalledTimes(2);
  });

  it('tells an electron its attempt, where it is, and that it is stopped', async () => {
    hub = await createTestHub();
    const seen: unknown[] = [];
    const work = electron({ timeout: '10m', retries: { max: 1, delay: '1m', jitter: 0 } }, async function work() {
      const task = context();
      seen.push([task.attempt, task.nodeId, task.dispatchId]);
      task.log(`attempt ${task.attempt}`);
      task.progress(0.5, 'half');
      task.signal.addEventListener('abort', () => seen.push(`stopped at ${hub.clock.now().toISOString()}`));
      await hub.clock.sleep('1h');
    });
    const id = await hub.dispatch(lattice({ name: 'one' }, () => work()))();
    const result = await hub.settle(id);
    expect(result).toMatchObject({ status: 'failed', error: { node: 'work', code: 'TIMEOUT' } });
    expect(seen).toEqual([
      [1, '0', id],
      'stopped at 2026-01-01T00:10:00.000Z',
      [2, '0', id],
      'stopped at 2026-01-01T00:21:00.000Z',
    ]);
    expect(await (await result.electrons.get('work')).logs()).toMatchObject([{ message: 'attempt 2' }]);
  });

  it('gives up a function that heeds no signal when its grace time is over', async () => {
    hub = await createTestHub({ patience: '50ms' });
    const hang = electron({ timeout: '10m' }, async function hang() {
      await new Promise(() => undefined);
    });
    const result = await hub.client.dispatchSync(lattice({ name: 'one' }, () => hang()))();
    expect(result).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } });
    expect(result.endedAt).toEqual(new Date('2026-01-01T00:10:05Z'));
  });

  it('waits in real time for an electron that does real work', async () => {
    hub = await createTestHub();
    const real = electron({ timeout: '1ms' }, async function real() {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return 'done';
    });
    expect(await hub.client.dispatchSync(lattice({ name: 'one' }, () => real()))()).toMatchObject({ value: 'done' });
    expect(hub.clock.now()).toEqual(new Date('2026-01-01T00:00:00Z'));
  });

  it('ends an electron as a dead process does when it throws Crash', async () => {
    hub = await createTestHub();
    const fragile = electron({ retries: { max: 2, delay: '1s', notOn: ['OUT_OF_MEMORY'] } }, function fragile() {
      throw new Crash(context().attempt === 1 ? 'killed' : 'out-of-memory');
    });
    const id = await hub.dispatch(lattice({ name: 'one' }, () => fragile()))();
    const failure: WorkflowFailed = await hub.client.getValue(id).catch((error: WorkflowFailed) => error);
    expect(failure.result.error).toMatchObject({ node: 'fragile', code: 'OUT_OF_MEMORY' });
    expect((await failure.result.electrons.get('fragile')).attempts).toBe(2);
  });

  it('is cancelled, and the cancel moves the clock until all has stopped', async () => {
    hub = await createTestHub();
    const sleep = electron(async function sleep() {
      await hub.clock.sleep(Infinity);
    });
    const id = await hub.dispatch(lattice({ name: 'one' }, () => sleep()))();
    await hub.clock.advance('1h');
    expect(await hub.client.cancel(id)).toMatchObject({ cancelled: ['sleep'], unconfirmed: [] });
    expect(await hub.settle(id)).toMatchObject({ status: 'cancelled' });
  });

  it('fails with what can not be sent, as it would on an agent', async () => {
    hub = await createTestHub();
    const bad = electron(function bad() {
      return { predict: () => 1 };
    });
    const result = await hub.client.dispatchSync(lattice({ name: 'one' }, () => bad() as unknown))();
    expect(result).toMatchObject({ status: 'failed', error: { code: 'RESULT_NOT_SERIALISABLE' } });
  });
});

describe('the clock', () => {
  it('says what waits for what when a dispatch can not end', async () => {
    hub = await createTestHub({ agents: { local: {}, lab: { offers: ['gpu'] } } });
    const train = electron({ needs: ['gpu', 'memory>=64GiB'] }, function train() {});
    const never = electron(async function never() {
      await hub.clock.sleep(Infinity);
    });
    const id = await hub.dispatch(lattice({ name: 'night' }, () => [train(), never()]))();
    const told: unknown = await hub.settle(id).catch((error: unknown) => error);
    expect(told).toMatchObject({ code: 'STUCK' });
    expect(String(told)).toContain(`dispatch ${id} (lattice "night") is running, and no timer is left`);
    expect(String(told)).toContain('electron "never" is assigned on agent "local" and waits');
    expect(String(told)).toContain('none offers memory>=64GiB (there are local, lab)');
  });

  it('ends a wait when its timeout is over on the clock', async () => {
    hub = await createTestHub();
    const id = await hub.dispatch(crawl)(1);
    await expect(hub.client.getValue(id, { timeout: '3d' })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    expect(hub.clock.now()).toEqual(new Date('2026-01-04T00:00:00Z'));
    expect((await hub.client.getResult(id, { wait: true, timeout: '1h' })).status).toBe('running');
  });

  it('can not be moved from inside an electron', async () => {
    hub = await createTestHub();
    const wrong = electron(async function wrong() {
      await hub.clock.advance('1h');
    });
    expect(await hub.client.dispatchSync(lattice({ name: 'one' }, () => wrong()))()).toMatchObject({
      status: 'failed',
      error: { code: 'USAGE', message: expect.stringContaining('inside an electron') },
    });
  });

  it('refuses fake timers, which would stop the hub itself', async () => {
    hub = await createTestHub();
    vi.useFakeTimers();
    await expect(hub.clock.advance('1h')).rejects.toThrow('setImmediate is faked');
    vi.useRealTimers();
    await hub.clock.advance('1h');
  });

  it('goes on until nothing is due', async () => {
    hub = await createTestHub();
    const id = await hub.dispatch(crawl)(1);
    await hub.clock.runUntilIdle();
    expect((await hub.client.getResult(id)).status).toBe('completed');
  });
});
