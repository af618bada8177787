/** Electrons run on an agent with real runner processes: values, failures, isolation, output. The hub is fake, the processes are not. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IDENTITY_ELECTRON } from '../../../model/graph.ts';
import { encodeList, encodePointer } from '../../../bus/value/list.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { listElement, listLength } from '../../../bus/value/list.ts';
import { decodeValue } from '../../../bus/value/value.ts';
import type { Outcome } from '../../../model/outcome.ts';
import { input, type TaskSpec } from '../../support/fake-hub.ts';
import { errorOf, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { until } from '../../support/until.ts';

let harness: Harness;
let next = 0;
beforeAll(async () => {
  harness = await startHarness({ maxValueBytes: 4 * 1024 * 1024 });
  await harness.agent.joined;
}, 30_000);
afterAll(() => harness.close());

/** Assigns tasks in one message and gives their numbers. */
async function assign(...specs: TaskSpec[]): Promise<number[]> {
  const ids = specs.map(() => ++next);
  await harness.hub.assignAll(Object.fromEntries(specs.map((spec, i) => [ids[i] ?? 0, spec])));
  return ids;
}

/** Runs tasks and gives their outcomes. */
async function runAll(...specs: TaskSpec[]): Promise<Outcome[]> {
  return Promise.all((await assign(...specs)).map((id) => harness.hub.outcome(id)));
}

async function run(electron: string, args: readonly unknown[] = [], more: Partial<TaskSpec> = {}): Promise<Outcome> {
  const [outcome] = await runAll({ electron, args, ...more });
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('values', { timeout: 30_000 }, () => {
  it('go in as arguments and inputs, and come out encoded', async () => {
    expect(valueOf(await run('add', [2, 3]))).toBe(5);
    expect(valueOf(await run('add', [], { inputs: [input(20), input(22)] }))).toBe(42);
  });

  it('are pulled from the hub when they are large, also from inside lists', async () => {
    const large = Array.from({ length: 200_000 }, (_, i) => i);
    const stored = harness.hub.store(input(large));
    const reads = harness.hub.reads.length;
    expect(valueOf(await run('sum', [], { inputs: [stored] }))).toBe(19_999_900_000);
    expect(harness.hub.reads.length).toBeGreaterThan(reads + 1);
    const list = encodeList([
      input(1),
      encodePointer(harness.hub.store(input(2))),
      encodeList([encodePointer(harness.hub.store(input(3)))]),
    ]);
    expect(valueOf(await run(IDENTITY_ELECTRON, [], { inputs: [list] }))).toEqual([1, 2, [3]]);
  });

  it.each([
    ['bytes', new Uint8Array(2_500_000).fill(9)],
    ['text', 'é'.repeat(1_000_000)],
    ['an array of bytes', [new Uint8Array(1_200_000).fill(8), 1]],
    ['a list to cut', encodeList([input(new Uint8Array(1_100_000)), input(2)])],
  ])('over 1 MiB come as they are, and go on: %s', async (_what, value) => {
    const encoded = value instanceof Uint8Array && value[0] === 2 ? value : input(value);
    const outcome = await run(IDENTITY_ELECTRON, [], { inputs: [harness.hub.store(encoded)] });
    if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
    expect(outcome.value.digest).toBe(digestOf(input(decodeValue(encoded))));
    expect(outcome.value.size).toBe(input(decodeValue(encoded)).length);
  });

  it('that are pulled once serve several electrons at the same time', async () => {
    const stored = harness.hub.store(input(new Uint8Array(1_500_000).fill(3)));
    const reads = harness.hub.reads.length;
    const outcomes = await runAll(...Array.from({ length: 4 }, () => ({ electron: 'size', inputs: [stored] })));
    expect(outcomes.map(valueOf)).toEqual([1_500_000, 1_500_000, 1_500_000, 1_500_000]);
    expect(harness.hub.reads.length - reads).toBe(Math.ceil(stored.size / 262_144));
  });

  it('are pulled as one list when all inputs are too many for a message', async () => {
    const inputs = harness.hub.store(encodeList([input(4), encodePointer(harness.hub.store(input(5)))]));
    expect(valueOf(await run('add', [], { inputs, inputCount: 2 }))).toBe(9);
  });

  it('and the arguments around them are pulled when these are large', async () => {
    const inputs = harness.hub.store(encodeList([input(20), input(22)]));
    expect(valueOf(await run('add', [], { inputs, inputCount: 2, pullTemplate: true }))).toBe(42);
    expect(valueOf(await run('add', [1], { inputs: [input(2)], pullTemplate: true }))).toBe(3);
    const [id = 0] = await assign({ electron: 'add', args: ['a lost', ' template'], pullTemplate: true });
    expect(valueOf(await harness.hub.outcome(id))).toBe('a lost template');
  });

  it('that the hub does not have fail the electron with VALUE_MISSING', async () => {
    const stored = harness.hub.store(input('soon gone'));
    harness.hub.values.delete(stored.digest);
    expect(errorOf(await run(IDENTITY_ELECTRON, [], { inputs: [stored] })).code).toBe('VALUE_MISSING');
  });

  it('come as a list that can be cut when they are mapped over', async () => {
    const outcome = await run('range', [3], { split: true });
    if (outcome.status !== 'completed' || outcome.bytes === undefined) throw new Error('no value');
    expect(outcome.value.length).toBe(3);
    expect(listLength(outcome.bytes)).toBe(3);
    expect(decodeValue(listElement(outcome.bytes, 2))).toBe(2);
  });

  it('over 64 KiB stay on the agent until the hub has pulled and settled them', async () => {
    let judged = 0;
    harness.hub.judge = () => (++judged === 1 ? 'missing' : 'committed');
    const outcome = await run('big', [300_000]);
    harness.hub.judge = () => 'committed';
    if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
    expect(outcome.bytes).toBeUndefined();
    expect(outcome.value.size).toBeGreaterThan(300_000);
    expect(judged).toBe(2);
  });

  it.each([200_000, 2_000_000])('of %i bytes go on to the next electron here before they are settled', async (size) => {
    harness.hub.judge = () => 'missing';
    const [id] = await assign({ electron: 'big', args: [size] });
    await harness.hub.when(() => harness.hub.verdicts.at(-1)?.verdict === 'missing', 'the first report');
    const made = input(new Uint8Array(size).fill(7));
    const info = { digest: digestOf(made), size: made.length };
    const reads = harness.hub.reads.length;
    const [next] = await assign({ electron: 'size', inputs: [info] });
    await harness.hub.when(
      () => harness.hub.verdicts.some(({ task }) => task.endsWith(`_${next}`)),
      'a report of what follows',
    );
    expect(harness.hub.reads.length).toBe(reads);
    harness.hub.judge = () => 'committed';
    expect((await harness.hub.outcome(id ?? 0)).status).toBe('completed');
    expect(valueOf(await harness.hub.outcome(next ?? 0))).toBe(size);
    // and after that, from where it is kept
    expect(valueOf(await run('size', [], { inputs: [info] }))).toBe(size);
    expect(harness.hub.reads.length).toBe(reads);
  });

  it('can be read in chunks before they are settled, byte for byte', async () => {
    harness.hub.judge = () => 'missing';
    const [id] = await assign({ electron: 'big', args: [200_000] });
    await harness.hub.when(() => harness.hub.verdicts.at(-1)?.verdict === 'missing', 'the first report');
    const held = harness.hub.syncs;
    await harness.hub.when(
      () => held.at(-1)?.run.some((entry) => entry.state === 'done') === true,
      'a sync that lists it as done',
    );
    const expected = input(new Uint8Array(200_000).fill(7));
    const value = await harness.hub.pull({ digest: digestOf(expected), size: expected.length }, 65_536);
    expect(Buffer.compare(value, expected)).toBe(0);
    harness.hub.judge = () => 'committed';
    expect((await harness.hub.outcome(id ?? 0)).status).toBe('completed');
  });

  it('over the limit are refused with VALUE_TOO_LARGE', async () => {
    const error = errorOf(await run('big', [5 * 1024 * 1024]));
    expect(error.code).toBe('VALUE_TOO_LARGE');
    expect(error.message).toContain('at most 4194304');
  });

  it('that cannot be sent fail with the path to what would be lost', async () => {
    const error = errorOf(await run('returnsFunction'));
    expect(error.code).toBe('RESULT_NOT_SERIALISABLE');
    expect(error.message).toContain(
      'electron "returnsFunction": result is not serialisable at $.model.predict (function',
    );
  });
});

describe('code', { timeout: 30_000 }, () => {
  it('sees its context, its variables, and none of the agent’s secrets', async () => {
    process.env['POLARON_SECRET'] = 'hidden';
    expect(valueOf(await run('env', [], { env: { FLAVOUR: 'sour' } }))).toEqual(['sour', null, []]);
    expect(valueOf(await run('env'))).toEqual([null, null, []]);
    delete process.env['POLARON_SECRET'];
    expect(valueOf(await run('info', [], { attempt: 4, path: '2[3].0' }))).toEqual({
      dispatchId: '00000000000000000000-n1',
      nodeId: '2[3].0',
      attempt: 4,
    });
    expect(valueOf(await run('info'))).toMatchObject({ nodeId: expect.stringMatching(/^\d+$/) });
  });

  it('gets a scratch folder that is gone afterwards', async () => {
    const folder = String(valueOf(await run('scratch')));
    expect(folder).toContain(harness.dir);
    await until(() => !existsSync(folder), 'the scratch folder to go');
  });

  it('that is not in the bundle fails with ELECTRON_NOT_FOUND, and others go on', async () => {
    const [missing, there] = await runAll({ electron: 'missing' }, { electron: 'add', args: [1, 1] });
    expect(missing).toMatchObject({ status: 'failed', error: { code: 'ELECTRON_NOT_FOUND' } });
    expect(there).toMatchObject({ status: 'completed' });
  });

  it('whose captured variables differ here fails with CAPTURE_MISMATCH before it runs', async () => {
    const { manifest } = harness.hub;
    harness.hub.manifest = { ...manifest, dispatch: '00000000000000000001-n1', captures: { usesLimit: { limit: 43 } } };
    const error = errorOf(await run('usesLimit'));
    harness.hub.manifest = manifest;
    expect(error.code).toBe('CAPTURE_MISMATCH');
    expect(error.message).toContain('limit');
    expect(valueOf(await run('usesLimit'))).toBe(42);
  });

  it('that fails to load fails its electrons with BUNDLE_LOAD, naming them', async () => {
    const { manifest } = harness.hub;
    const bundle = harness.hub.store(Buffer.from("throw new Error('no licence file');"));
    harness.hub.manifest = { ...manifest, dispatch: '00000000000000000002-n1', bundle };
    const error = errorOf(await run('add'));
    harness.hub.manifest = manifest;
    expect(error.code).toBe('BUNDLE_LOAD');
    expect(error.message).toMatch(/the module of electron 'add' failed to load on agent a1: no licence file/);
  });

  it('that crashes its process while loading fails with BUNDLE_LOAD too', async () => {
    const { manifest } = harness.hub;
    const bundle = harness.hub.store(Buffer.from("process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {});"));
    harness.hub.manifest = { ...manifest, dispatch: '00000000000000000003-n1', bundle };
    const error = errorOf(await run('add'));
    harness.hub.manifest = manifest;
    expect(error).toMatchObject({ code: 'BUNDLE_LOAD' });
    expect(error.message).toContain('SIGSEGV');
  });
});

describe('a failing electron', { timeout: 30_000 }, () => {
  it('tells name, code, stack and cause of what it threw', async () => {
    const outcome = await run('throws');
    expect(outcome).toMatchObject({
      status: 'failed',
      error: {
        code: 'TASK_THREW',
        name: 'TypeError',
        message: 'no such column',
        userCode: 'E_COLUMN',
        cause: { message: 'the file is empty' },
      },
    });
    expect(errorOf(outcome).stack).toContain('TypeError: no such column');
  });

  const deaths: readonly [what: string, spec: TaskSpec, code: string, text: string][] = [
    ['calls process.exit', { electron: 'exits' }, 'EXITED', 'exit code 3'],
    ['dies by a signal', { electron: 'segfaults' }, 'CRASHED', 'SIGSEGV'],
    ['loops for ever', { electron: 'forever', timeoutMs: 200 }, 'TIMEOUT', '200 ms'],
    ['fills its heap', { electron: 'heap', memoryMb: 64 }, 'OUT_OF_MEMORY', '64 MiB'],
    ['fills memory outside of its heap', { electron: 'buffers', memoryMb: 64 }, 'MEMORY_LIMIT', '64 MiB'],
    ['leaves a rejection unhandled', { electron: 'rejects' }, 'UNHANDLED_REJECTION', 'nobody awaits me'],
    ['leaves one unhandled and returns', { electron: 'rejectsAndReturns' }, 'UNHANDLED_REJECTION', 'nobody awaits me'],
    ['throws from a timer', { electron: 'throwsLater' }, 'UNCAUGHT', 'from a timer'],
  ];
  for (const [what, spec, code, text] of deaths) {
    it(`that ${what} ends as ${code} and harms no neighbour`, async () => {
      const [outcome, neighbour] = await runAll(spec, { electron: 'sleep', args: [400, 'fine'] });
      expect(outcome).toMatchObject({ status: 'failed', error: { code } });
      expect(outcome === undefined ? '' : errorOf(outcome).message).toContain(text);
      expect(neighbour).toMatchObject({ status: 'completed' });
      expect(valueOf(await run('add', [1, 2]))).toBe(3);
    });
  }

  it('of a class of its own tells that name', async () => {
    expect(errorOf(await run('throwsOwnClass'))).toMatchObject({ code: 'TASK_THREW', name: 'Flaky' });
  });

  it('that gives no sign of life is stopped, and one that prints or tells its progress is not', async () => {
    const silenceMs = 300;
    const outcomes = await runAll(
      { electron: 'signs', args: ['print', 8], silenceMs },
      { electron: 'signs', args: ['progress', 8], silenceMs },
      { electron: 'signs', args: ['hang', 0], silenceMs },
      { electron: 'forever', silenceMs },
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['completed', 'completed', 'failed', 'failed']);
    for (const outcome of outcomes.slice(2)) {
      const error = errorOf(outcome);
      expect(error).toMatchObject({ code: 'TIMEOUT', name: 'SilenceTimeout' });
      expect(error.message).toContain('no sign of life for 300 ms');
    }
  });

  it('that obeys when its time is over is a timeout all the same, and nothing that it started is left', async () => {
    const outcome = await run('leavesChildOnAbort', [], { timeoutMs: 300 });
    expect(errorOf(outcome)).toMatchObject({ code: 'TIMEOUT', name: 'AttemptTimeout' });
    const child = Number(/child (\d+)/.exec(outcome.logs?.stdout ?? '')?.[1]);
    expect(child).toBeGreaterThan(1);
    expect(outcome.usage.endedAt - outcome.usage.startedAt).toBeGreaterThanOrEqual(290);
    await until(() => !alive(child), 'the child to be gone');
  });

  it('takes the processes that it started with it', async () => {
    const outcome = await run('orphan', [], { timeoutMs: 300 });
    expect(errorOf(outcome).code).toBe('TIMEOUT');
    const child = Number(/child (\d+)/.exec(outcome.logs?.stdout ?? '')?.[1]);
    expect(child).toBeGreaterThan(1);
    await until(() => !alive(child), 'the child to be gone');
  });

  it('that hangs for ever does not hold up those behind it', async () => {
    const calm: TaskSpec = { electron: 'maybeSpin', args: ['no'] };
    await runAll(...Array.from({ length: 20 }, () => calm));
    await harness.hub.when(() => (harness.hub.syncs.at(-1)?.queue ?? 0) > 20, 'a queue for short electrons');
    const ids = await assign(
      ...Array.from({ length: 20 }, (_, i): TaskSpec => (i === 5 ? { ...calm, args: ['ever'] } : calm)),
    );
    const hung = ids[5] ?? 0;
    const others = ids.filter((id) => id !== hung);
    const outcomes = await Promise.all(others.map((id) => harness.hub.outcome(id)));
    expect(outcomes.map(({ status }) => status)).toEqual(others.map(() => 'completed'));
    expect(harness.agent.status().unfinished).toBe(1);
    await harness.hub.cancel([hung]);
    expect((await harness.hub.outcome(hung)).status).toBe('cancelled');
  });

  it('that hangs or dies behind short ones costs them nothing', async () => {
    const calm: TaskSpec = { electron: 'maybeSpin', args: ['no'] };
    await runAll(...Array.from({ length: 20 }, () => calm));
    await harness.hub.when(() => (harness.hub.syncs.at(-1)?.queue ?? 0) > 20, 'a queue for short electrons');
    const specs: TaskSpec[] = Array.from({ length: 30 }, (_, i) =>
      i === 11 ? { ...calm, args: ['ever'], timeoutMs: 600 } : calm,
    );
    const hung = await runAll(...specs);
    expect(hung.map(({ status }, i) => (status === 'completed' ? -1 : i)).filter((i) => i >= 0)).toEqual([11]);
    expect(errorOf(hung[11] ?? { status: 'cancelled', usage: { startedAt: 0, endedAt: 0 } }).code).toBe('TIMEOUT');

    const tame: TaskSpec = { electron: 'maybeDie', args: ['no'] };
    await runAll(...Array.from({ length: 20 }, () => tame));
    for (const how of ['exit', 'abort']) {
      const died = await runAll(...Array.from({ length: 30 }, (_, i) => (i === 17 ? { ...tame, args: [how] } : tame)));
      expect(died.map(({ status }, i) => (status === 'completed' ? -1 : i)).filter((i) => i >= 0)).toEqual([17]);
    }
  });
});

describe('output', { timeout: 30_000 }, () => {
  it('of two electrons at once is kept apart', async () => {
    const [a, b] = await runAll({ electron: 'prints', args: ['red', 50] }, { electron: 'prints', args: ['blue', 50] });
    const lines = (word: string): string => Array.from({ length: 50 }, (_, i) => `${word} ${i}\n`).join('');
    expect(a?.logs?.stdout).toBe(lines('red'));
    expect(b?.logs?.stdout).toBe(lines('blue'));
    expect(a?.logs?.stderr).toBe(lines('red err'));
    expect(b?.logs?.stderr).toBe(lines('blue err'));
  });

  it('past process.stdout, and of child processes, is caught too', async () => {
    const outcome = await run('printsRaw');
    expect(outcome.logs).toEqual({ stdout: 'raw out\n', stderr: 'from a child\n' });
  });

  it('is bounded: head and tail are kept, the cut is marked', async () => {
    const stdout = (await run('printsMuch')).logs?.stdout ?? '';
    expect(stdout.length).toBeLessThan(70_000);
    expect(stdout.startsWith('line 0\nline 1\n')).toBe(true);
    expect(stdout.endsWith('line 19999\n')).toBe(true);
    expect(stdout).toMatch(/characters left out/);
  });

  it('of an electron that takes long is published while it runs, numbered', async () => {
    const [id] = await assign({ electron: 'prints', args: ['green', 400] });
    const mine = (): unknown[] => harness.hub.logs.filter((line) => JSON.stringify(line).includes(`_${id}"`));
    await harness.hub.when(() => mine().length > 1, 'two lines');
    expect(mine().slice(0, 2)).toMatchObject([{ n: 1 }, { n: 2 }]);
    await harness.hub.outcome(id ?? 0);
  });
});
