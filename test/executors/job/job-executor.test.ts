/** What an executor of jobs does when its author's code, its folder or its agent fails: a real agent and real runners, a fake hub. */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { runPacked } from '../../../executors/function/run-packed.ts';
import { defineExecutor, noOptions, type CustomExecutor, type JobState } from '../../../executors/job/definition.ts';
import { jobExecutor } from '../../../executors/job/job-executor.ts';
import { processInfo } from '../../../executors/process/process-table.ts';
import { processExecutor } from '../../../executors/process/process-executor.ts';
import { detachedJobs } from '../../support/detached-jobs.ts';
import { errorOf, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { taskId } from '../../support/fake-hub.ts';
import { until } from '../../support/until.ts';

const WAIT_MS = 60_000;
const MIB = 1024 * 1024;
let harness: Harness;
afterEach(() => harness.close());

const begin = async (...all: readonly CustomExecutor[]): Promise<void> => {
  harness = await startHarness({ executors: [processExecutor, ...all.map(jobExecutor)], capabilities: [], slots: 4 });
  await harness.agent.joined;
};
const assign = (id: number, executor: string, electron: string, ...args: readonly unknown[]): Promise<void> =>
  harness.hub.assignAll({ [id]: { electron, args, executor } });
const written = (id: number): string =>
  harness.hub.logs.map((line) => (isLine(line) && line.task === taskId(id) ? line.text : '')).join('');
const isLine = (x: unknown): x is { readonly task: string; readonly text: string } =>
  typeof x === 'object' && x !== null && 'task' in x && 'text' in x;

it('a job that was submitted, and whose handle never came, is found again by its name, and runs once', {
  timeout: WAIT_MS,
}, async () => {
  const system = detachedJobs();
  let answer: (() => void) | undefined;
  system.beforeAnswer = () => new Promise<void>((resolve) => (answer = resolve));
  await begin(system.executor);
  await assign(1, 'detached', 'sleep', 2_000, 'done');
  await until(() => answer !== undefined, 'it was submitted', WAIT_MS);
  await harness.restart();
  expect((await harness.hub.firstSync(2)).run.map(({ task }) => task)).toEqual([taskId(1)]);
  expect(valueOf(await harness.hub.outcome(1, WAIT_MS))).toBe('done');
  expect(system.submitted).toHaveLength(1);
});

it('a job that never got through is submitted again when nobody knows its name', { timeout: WAIT_MS }, async () => {
  const system = detachedJobs();
  let refused = 0;
  system.beforeSubmit = () => (refused++ === 0 ? new Promise<void>(() => undefined) : Promise.resolve());
  await begin(system.executor);
  await assign(1, 'detached', 'add', 1, 2);
  await until(() => refused === 1, 'it is about to be submitted', WAIT_MS);
  await harness.restart();
  expect(valueOf(await harness.hub.outcome(1, WAIT_MS))).toBe(3);
  expect(system.submitted).toHaveLength(1);
});

it('what poll says without sense fails its electron, and holds up no other', { timeout: WAIT_MS }, async () => {
  const wrong: unknown = { state: 'ended', error: new Error('boom') };
  const isState = (x: unknown): x is JobState => x === wrong;
  await begin(
    defineExecutor({
      name: 'odd',
      options: noOptions,
      pollMs: 20,
      setup: () => undefined,
      run: async () => 'handle',
      poll: async (jobs) => new Map(jobs.flatMap(({ name }) => (isState(wrong) ? [[name, wrong] as const] : []))),
    }),
  );
  await assign(1, 'odd', 'add', 1, 2);
  const error = errorOf(await harness.hub.outcome(1, WAIT_MS));
  expect(error).toMatchObject({ code: 'JOB_FAILED' });
  expect(error.message).toContain('poll of executor "odd" gave an error without code and message');
  await assign(2, 'process', 'add', 1, 2);
  expect(valueOf(await harness.hub.outcome(2, WAIT_MS))).toBe(3);
});

it('what it has spawned is gone when the agent has stopped', { timeout: WAIT_MS }, async () => {
  await begin(
    defineExecutor({
      name: 'spawned',
      options: noOptions,
      setup: () => undefined,
      run: (job) => job.spawn(job.command),
    }),
  );
  await assign(1, 'spawned', 'orphan');
  await until(() => /child \d+/.test(written(1)), 'it runs', WAIT_MS);
  const child = Number(/child (\d+)/.exec(written(1))?.[1]);
  await harness.agent.stop();
  await until(() => processInfo(child) === undefined, 'the child is gone', 2_000);
});

it('one whose setup or teardown fails is not offered, or told of, and the others work', {
  timeout: WAIT_MS,
}, async () => {
  const failing = (name: string, part: 'setup' | 'teardown'): CustomExecutor =>
    defineExecutor({
      name,
      options: noOptions,
      setup: () => {
        if (part === 'setup') throw new Error('no licence server');
      },
      run: async () => undefined,
      teardown: () => Promise.reject(new Error('it is stuck')),
    });
  await begin(failing('never', 'setup'), failing('once', 'teardown'));
  const { capabilities } = harness.hub.syncs[0] ?? { capabilities: [] };
  expect(capabilities).toEqual(['process', 'once']);
  expect(JSON.stringify(harness.logs.entries)).toContain('no licence server');
  await harness.agent.stop();
  expect(await harness.agent.ended).toBe('stopped');
});

it('its folder is removed though the electron has made a part of it unwritable', { timeout: WAIT_MS }, async () => {
  await begin(
    defineExecutor({
      name: 'spawned',
      options: noOptions,
      setup: () => undefined,
      run: (job) => job.spawn(job.command),
    }),
  );
  await assign(1, 'spawned', 'locksScratch');
  await harness.hub.outcome(1, WAIT_MS);
  const jobs = join(harness.dir, 'jobs', 'spawned', 'jobs');
  await until(() => !existsSync(jobs) || readdirSync(jobs).length === 0, 'the folder is gone', WAIT_MS);
});

const MUCH = 24_000_000;

it.each(['detached', 'spawned'])(
  'what %s writes without end is told in part, and its outcome is whole',
  {
    timeout: WAIT_MS,
  },
  async (name) => {
    await begin(
      detachedJobs().executor,
      defineExecutor({
        name: 'spawned',
        options: noOptions,
        setup: () => undefined,
        run: (job) => job.spawn(job.command),
      }),
    );
    await assign(1, name, 'whenThere', harness.dir, { chars: MUCH, bytes: 5 });
    const outcome = await harness.hub.outcome(1, WAIT_MS);
    expect(valueOf(outcome)).toEqual(new Uint8Array(5).fill(7));
    // the head and the tail are kept, and what was left out is counted
    expect(outcome.logs?.stdout).toMatch(/^waiting\nx+\n/);
    expect(outcome.logs?.stdout).toMatch(/… \d+ characters left out …/);
    expect(written(1).length).toBeLessThan(MUCH / 4);
  },
);

it('what it prints without end takes little room in its folder, and those who watch see that it goes on', {
  timeout: WAIT_MS,
}, async () => {
  await begin(detachedJobs().executor);
  await assign(1, 'detached', 'floods', 10_000);
  const jobs = join(harness.dir, 'jobs', 'detached', 'jobs');
  const size = (): number =>
    readdirSync(jobs).reduce(
      (sum, name) => sum + (statSync(join(jobs, name, 'outcome'), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  await until(() => size() > MIB - 20_000, 'its first MiB', WAIT_MS);
  for (let n = 0; n < 3; n++) {
    const before = written(1).length;
    await until(() => written(1).length > before, 'more of it', WAIT_MS);
  }
  expect(size()).toBeLessThan(1.1 * MIB);
  await harness.hub.cancel([1]);
  expect((await harness.hub.outcome(1, WAIT_MS)).status).toBe('cancelled');
});

it('what a function service hears past a runner takes little room, though its caller is slow', {
  timeout: WAIT_MS,
}, async () => {
  let waited = false;
  let bytes = 0;
  let mark = '';
  async function* slow(answer: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of answer) {
      bytes += part.length;
      if (!waited && part.length > 10_000) {
        await until(() => existsSync(mark), 'all to be written', WAIT_MS);
        waited = true;
      }
      yield part;
    }
  }
  await begin(
    defineExecutor({
      name: 'packed',
      options: noOptions,
      setup: () => undefined,
      run: async (job) => job.accept(slow(runPacked(await job.pack()))),
    }),
  );
  mark = join(harness.dir, 'mark');
  await assign(1, 'packed', 'writesPast', 1_000, 'last words', 'live', mark);
  const { logs } = await harness.hub.outcome(1, WAIT_MS);
  for (const text of [logs?.stdout, logs?.stderr])
    expect(text).toMatch(/^é{4999}\n[^]* characters left out …\n[^]*\né{4999}\nlast words\n$/);
  expect(waited).toBe(true);
  // of 20 MB
  expect(bytes).toBeLessThan(5 * MIB);
});

it.each(['live', 'die'])(
  'of what it writes past its runner the end is told, however much that is (%s)',
  {
    timeout: WAIT_MS,
  },
  async (how) => {
    await begin(detachedJobs().executor);
    await assign(1, 'detached', 'writesPast', 500, 'last words', how);
    const outcome = await harness.hub.outcome(1, WAIT_MS);
    // its last line, as its shell says it
    if (how === 'die')
      expect(errorOf(outcome)).toMatchObject({ code: 'CRASHED', message: expect.stringMatching(/Segmentation fault/) });
    for (const text of [outcome.logs?.stdout, outcome.logs?.stderr])
      expect(text).toMatch(
        /^(é{4999}\n)+é*\n… \d+ characters left out …\né*\n(é{4999}\n)+last words\n(Segmentation fault.*\n)?$/,
      );
  },
);

it('a folder that can not be written is no full disk', { timeout: WAIT_MS }, async () => {
  await begin(detachedJobs().executor);
  const jobs = join(harness.dir, 'jobs', 'detached', 'jobs');
  rmSync(jobs, { recursive: true });
  writeFileSync(jobs, '');
  await assign(1, 'detached', 'add', 1, 2);
  const error = errorOf(await harness.hub.outcome(1, WAIT_MS));
  expect(error).toMatchObject({ code: 'EXECUTOR_FAILED' });
  expect(error.message).toContain("its job's folder can't be written: ENOTDIR");
});

it('a job that wrote much while its agent was away is taken up', { timeout: WAIT_MS }, async () => {
  await begin(detachedJobs().executor);
  const gate = join(harness.dir, 'gate');
  await assign(1, 'detached', 'whenThere', gate, { chars: MUCH, bytes: 5 });
  await until(() => written(1).includes('waiting'), 'it runs', WAIT_MS);
  const shared = join(harness.dir, 'jobs', 'detached', 'shared');
  await harness.restart(async () => {
    writeFileSync(gate, '');
    await until(() => readdirSync(shared).some((file) => file.endsWith('.code')), 'it has ended', WAIT_MS);
  });
  expect(valueOf(await harness.hub.outcome(1, WAIT_MS))).toEqual(new Uint8Array(5).fill(7));
  expect(written(1).length).toBeLessThan(MUCH / 4);
});
