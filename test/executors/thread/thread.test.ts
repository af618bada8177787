/** Electrons in threads, by an agent with real processes: who is ended, who is blamed, and what the neighbours notice. The hub is fake. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { processInfo } from '../../../executors/process/process-table.ts';
import { processExecutor } from '../../../executors/process/process-executor.ts';
import { threadExecutor } from '../../../executors/thread/thread-executor.ts';
import type { Outcome } from '../../../model/outcome.ts';
import { errorOf, fixtureBundle, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { taskId, type TaskSpec } from '../../support/fake-hub.ts';
import { until } from '../../support/until.ts';

describe('electrons in threads', () => {
  let harness: Harness;
  let next = 0;
  beforeAll(async () => {
    harness = await startHarness({ executors: [threadExecutor, processExecutor], capabilities: [], slots: 3 });
    await harness.agent.joined;
  });
  afterAll(() => harness.close());
  // code of its own: a process of which no thread has ended yet
  beforeEach(() => {
    harness.hub.manifest = {
      ...harness.hub.manifest,
      argv: [String(++next)],
      dispatch: `${String(next).padStart(20, '0')}-n1`,
    };
  });

  async function assign(
    electron: string,
    args: readonly unknown[] = [],
    more: Partial<TaskSpec> = {},
  ): Promise<number> {
    const id = ++next;
    await harness.hub.assignAll({ [id]: { electron, args, executor: 'thread', ...more } });
    return id;
  }
  const ended = (id: number): Promise<Outcome> => harness.hub.outcome(id, 20_000);
  const run = async (electron: string, args: readonly unknown[] = [], more: Partial<TaskSpec> = {}): Promise<Outcome> =>
    ended(await assign(electron, args, more));
  const written = (id: number): string =>
    harness.hub.logs.flatMap((line) => (isLine(line) && line.task === taskId(id) ? [line.text] : [])).join('');
  const pidOf = (id: number): string | undefined => /here (\d+)/.exec(written(id))?.[1];
  /** One that has said that it runs. */
  async function running(
    electron: string,
    args: readonly unknown[] = [],
    more: Partial<TaskSpec> = {},
  ): Promise<number> {
    const id = await assign(electron, args, more);
    await until(() => written(id) !== '', `${electron} to run`, 20_000);
    return id;
  }

  /** As the hub gives one again that nobody was to blame for. */
  async function again(id: number, electron: string, args: readonly unknown[] = []): Promise<Outcome> {
    expect((await ended(id)).status).toBe('cancelled');
    harness.hub.outcomes.delete(taskId(id));
    await harness.hub.assignAll({ [id]: { electron, args, executor: 'thread', attempt: 2 } });
    return ended(id);
  }

  it('run several at once in one process, which is not the agent', async () => {
    const ids = await Promise.all([1, 2].map(() => assign('meetsInThread', [300])));
    const [one, other] = (await Promise.all(ids.map(ended))).map((outcome) => Object(valueOf(outcome)));
    expect(one.pid).not.toBe(process.pid);
    expect(other.pid).toBe(one.pid);
    expect(other.thread).not.toBe(one.thread);
  });

  it('are ended when they are cancelled in a loop without end, with what they had started; the neighbour goes on', async () => {
    const [neighbour, loop, parent] = await Promise.all([
      running('saysAndSleeps', [1_000]),
      running('saysAndSpins'),
      running('orphan'),
    ]);
    const child = Number(/child (\d+)/.exec(written(parent))?.[1]);
    expect(processInfo(child)).toBeDefined();
    await harness.hub.cancel([loop, parent]);
    expect((await ended(loop)).status).toBe('cancelled');
    expect((await ended(parent)).status).toBe('cancelled');
    expect(harness.hub.outcomes.has(taskId(neighbour))).toBe(false);
    // killed by now, and the system takes a moment for it
    await until(() => processInfo(child) === undefined, 'the child to be gone');
    expect(valueOf(await ended(neighbour))).toBe('slept');
    expect(pidOf(neighbour)).toBe(pidOf(loop));
  });

  it('are ended with what they had started in an environment of its own, too; what a neighbour started goes on', async () => {
    const [one, other] = await Promise.all([running('orphanWithItsOwnEnv'), running('orphanWithItsOwnEnv')]);
    const startedBy = (id: number): number[] =>
      (/child (\d+) grandchild (\d+)/.exec(written(id)) ?? []).slice(1).map(Number);
    const [mine, theirs] = [startedBy(one), startedBy(other)];
    const living = (): boolean[] => [...mine, ...theirs].map((pid) => processInfo(pid) !== undefined);
    expect(living()).toEqual([true, true, true, true]);
    await harness.hub.cancel([one]);
    expect((await ended(one)).status).toBe('cancelled');
    await until(() => !living().slice(0, 2).includes(true), 'what it started to be gone');
    expect(living()).toEqual([false, false, true, true]);
    await harness.hub.cancel([other]);
    expect((await ended(other)).status).toBe('cancelled');
    await until(() => !living().includes(true), 'all to be gone');
  });

  it('are ended without what an ended thread of a neighbour had started', async () => {
    const [one, other] = await Promise.all([running('saysAndSleeps', [60_000]), running('startsInAWorker')]);
    const theirs = Number(/child (\d+)/.exec(written(other))?.[1]);
    await harness.hub.cancel([one]);
    expect((await ended(one)).status).toBe('cancelled');
    expect(processInfo(theirs)).toBeDefined();
    await harness.hub.cancel([other]);
    expect((await ended(other)).status).toBe('cancelled');
    await until(() => processInfo(theirs) === undefined, 'what it started to be gone');
  });

  it('are ended when they are cancelled while Atomics.wait blocks them; the neighbour goes on', async () => {
    const [neighbour, blocked] = await Promise.all([running('saysAndSleeps', [900]), running('saysAndBlocks')]);
    await harness.hub.cancel([blocked]);
    expect((await ended(blocked)).status).toBe('cancelled');
    expect(valueOf(await ended(neighbour))).toBe('slept');
  });

  it('take their process along when native code blocks them; the neighbour is given back, charged with nothing', async () => {
    const [neighbour, blocked] = await Promise.all([
      running('saysAndSleeps', [60_000]),
      running('saysAndBlocks', ['native']),
    ]);
    await harness.hub.cancel([blocked]);
    expect((await ended(blocked)).status).toBe('cancelled');
    expect(valueOf(await again(neighbour, 'saysAndSleeps', [0]))).toBe('slept');
  });

  it('whose process crashes beside others run alone the next time: who did it is blamed, the neighbour completes', async () => {
    const [neighbour, culprit] = await Promise.all([
      running('saysAndSleeps', [60_000]),
      running('saysAndDies', ['crash']),
    ]);
    const [innocent, guilty] = await Promise.all([
      again(neighbour, 'saysAndSleeps', [900]),
      again(culprit, 'saysAndDies', ['crash']),
    ]);
    expect(valueOf(innocent)).toBe('slept');
    // nobody else may use the process in which it ran alone
    const pids = [...written(neighbour).matchAll(/here (\d+)/g)].map(([, pid]) => Number(pid));
    expect(new Set(pids).size).toBe(2);
    await until(() => pids.every((pid) => processInfo(pid) === undefined), 'both processes to be gone', 10_000);
    expect(errorOf(guilty)).toMatchObject({ code: 'CRASHED', message: expect.stringContaining('died by SIGSEGV') });
  });

  it('may ask which thread they are in: it is no captured value', async () => {
    const { manifest } = harness.hub;
    harness.hub.manifest = { ...manifest, captures: { meetsInThread: { threadId: 0 } } };
    expect(valueOf(await run('meetsInThread', [0]))).toMatchObject({ thread: expect.any(Number) });
    // another dispatch
    harness.hub.manifest = { ...manifest, dispatch: '90000000000000000008-n1', captures: { usesLimit: { limit: 41 } } };
    expect(errorOf(await run('usesLimit')).code).toBe('CAPTURE_MISMATCH');
  });

  it('whose code fills the heap while it is loaded fail with OUT_OF_MEMORY', async () => {
    const { manifest } = harness.hub;
    harness.hub.useBundle(`${fixtureBundle}\nconst all = [];\nfor (;;) all.push(new Array(1000).fill(Math.random()));`);
    harness.hub.manifest = { ...harness.hub.manifest, dispatch: '90000000000000000009-n1' };
    for (const executor of ['thread', 'process']) {
      const error = errorOf(await run('noop', [], { memoryMb: 24, executor }));
      expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
      expect(error.message).toContain(
        "the module of electron 'noop' ran out of heap while it was loaded (its limit of 24 MiB)",
      );
    }
    harness.hub.manifest = manifest;
  });

  it('that fill their heap, or end themselves, fail alone', async () => {
    const [neighbour, full, exits] = await Promise.all([
      running('saysAndSleeps', [1_500]),
      running('saysAndDies', ['heap'], { memoryMb: 24 }),
      running('saysAndDies', ['exit']),
    ]);
    expect(errorOf(await ended(full))).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining('its thread ran out of heap (its limit of 24 MiB)'),
    });
    expect(errorOf(await ended(exits))).toMatchObject({
      code: 'EXITED',
      message: expect.stringContaining('ended its thread with exit code 4'),
    });
    expect(valueOf(await ended(neighbour))).toBe('slept');
    expect(new Set([neighbour, full, exits].map(pidOf)).size).toBe(1);
  });

  it('fail with errors that nobody caught, alone', async () => {
    const [neighbour, throws, rejects] = await Promise.all([
      running('saysAndSleeps', [700]),
      assign('throwsLater'),
      assign('rejects'),
    ]);
    expect(errorOf(await ended(throws))).toMatchObject({ code: 'UNCAUGHT', message: 'from a timer' });
    expect(errorOf(await ended(rejects))).toMatchObject({ code: 'UNHANDLED_REJECTION', name: 'RangeError' });
    expect(valueOf(await ended(neighbour))).toBe('slept');
  });

  it('have the output that is theirs, and variables that only they see', async () => {
    const first = next + 1;
    const warm = await Promise.all([1, 2].map(() => assign('meetsInThread', [200])));
    await Promise.all(warm.map(ended));
    const ids = await Promise.all(['a', 'b'].map((word) => assign('prints', [word, 200])));
    const [a, b] = await Promise.all(ids.map(ended));
    const lines = (word: string): string => Array.from({ length: 200 }, (_, i) => `${word} ${i}\n`).join('');
    expect(a?.logs?.stdout).toBe(lines('a'));
    expect(b?.logs?.stdout).toBe(lines('b'));
    // at the same time
    expect(a?.usage.startedAt).toBeLessThan(b?.usage.endedAt ?? 0);
    expect(b?.usage.startedAt).toBeLessThan(a?.usage.endedAt ?? 0);
    const both = await Promise.all(['sweet', 'sour'].map((flavour) => run('env', [], { env: { FLAVOUR: flavour } })));
    expect(both.map(valueOf)).toEqual([
      ['sweet', null, [String(first - 1)]],
      ['sour', null, [String(first - 1)]],
    ]);
  });

  it('come through beside one that prints without end', async () => {
    const flood = await assign('floods', [100_000], { timeoutMs: 2_000 });
    const small = await Promise.all([1, 2].map(() => assign('saysAndSleeps', [300])));
    for (const id of small) expect(valueOf(await ended(id))).toBe('slept');
    expect(errorOf(await ended(flood))).toMatchObject({ code: 'TIMEOUT' });
  });

  it('are told what a thread cannot do, and refused what nobody could promise', async () => {
    expect(errorOf(await run('moves'))).toMatchObject({
      code: 'TASK_THREW',
      userCode: 'ERR_WORKER_UNSUPPORTED_OPERATION',
      message: 'process.chdir() is not supported in workers',
    });
    const refused = errorOf(await run('noop', [], { exclusive: true }));
    expect(refused).toMatchObject({ code: 'NOT_SUPPORTED', message: expect.stringContaining('executor "process"') });
  });
});

const isLine = (x: unknown): x is { readonly task: string; readonly text: string } =>
  typeof x === 'object' && x !== null && 'task' in x && 'text' in x;
