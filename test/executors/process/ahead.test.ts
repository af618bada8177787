/** What is handed ahead to a runner whose job is about to end, and what becomes of it: Q1–Q3, L1–L3. With fake runners and a clock that the test moves. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeTemplate } from '../../../bus/value/template.ts';
import type { ExecutorHandle } from '../../../executors/executor.ts';
import { ProcessPool } from '../../../executors/process/pool.ts';
import { RunnerRoster } from '../../../executors/process/runner-roster.ts';
import { systemMs } from '../../../executors/runner/system-clock.ts';
import { DEFAULT_RETRY, NO_TIMEOUTS, type Timeouts } from '../../../model/graph.ts';
import type { TaskId } from '../../../model/ids.ts';
import type { Outcome } from '../../../model/outcome.ts';
import { fakeRunners, type FakeRunner } from '../../support/fake-runner.ts';
import { taskId } from '../../support/fake-hub.ts';
import { noLog } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';

const STEP_MS = 100;
/** Before its end by so much a job is about to end, and the pool has looked once more. */
const SOON_MS = 30;

let pool: ProcessPool;
let runners: readonly FakeRunner[];
let next = 0;

interface Started {
  readonly task: TaskId;
  readonly handle: ExecutorHandle;
  readonly outcomes: readonly Outcome[];
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance', 'hrtime'] });
});
afterEach(async () => {
  await pool.stop();
  vi.useRealTimers();
});

/** Its lanes are ready, and it knows how long a `step` takes. */
async function poolOf(slots: number): Promise<void> {
  const fake = fakeRunners();
  runners = fake.runners;
  pool = new ProcessPool({
    slots,
    graceMs: 1_000,
    clock: realClock,
    scratchDir: '/nowhere',
    spare: false,
    run: fake.run,
    start: {
      nodePath: '',
      env: {},
      cwd: '',
      maxValueBytes: 1,
      agent: 'a1',
      roster: new RunnerRoster('/nowhere', noLog),
      clock: realClock,
    },
  });
  const first = Array.from({ length: slots }, () => start());
  await pass(STEP_MS);
  for (const runner of runners) runner.say(runner.finished(runner.tasks[0] ?? '', STEP_MS));
  await pass(1);
  expect(first.map(({ outcomes }) => outcomes.length)).toEqual(first.map(() => 1));
}

function start(name = 'step', timeoutMs = 0, timeouts: Timeouts = NO_TIMEOUTS, code = 'code'): Started {
  const task = taskId(++next);
  const outcomes: Outcome[] = [];
  const handle = pool.start(
    {
      task,
      token: [1, 1],
      inputsDigest: digestOf(new Uint8Array()),
      dispatch: 'd',
      about: { user: 'u', lattice: 'l' },
      node: name,
      electron: { name, executor: 'process', needs: [], retries: DEFAULT_RETRY, timeouts },
      template: encodeTemplate([], () => undefined, 'arguments'),
      inputs: [],
      split: false,
      timeoutMs,
      code: { bundleFile: code, key: code, argv: [], captures: {}, captureKey: 'none' },
    },
    { log: () => undefined, progress: () => undefined, ended: (outcome) => outcomes.push(outcome) },
  );
  return { task, handle, outcomes };
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const has = (runner: FakeRunner | undefined, { task }: Started): boolean => runner?.tasks.includes(task) === true;
const statuses = (...jobs: readonly Started[]): readonly (string | undefined)[] =>
  jobs.map(({ outcomes }) => outcomes[0]?.status);

it('is one job, once the running one is about to end and all slots are at work', async () => {
  await poolOf(2);
  const [runner, other] = runners;
  const a = start();
  await pass(STEP_MS - SOON_MS);
  const b = start();
  await pass(1);
  expect([has(other, b), runners.length]).toEqual([true, 2]);
  const [c, d] = [start(), start()];
  await pass(1);
  expect([has(runner, c), has(runner, d), has(other, d)]).toEqual([true, false, false]);
  expect([a, c, d].map(({ handle }) => handle.runningSince() > 0)).toEqual([true, false, false]);
  // b is about to end now, too
  await pass(STEP_MS - SOON_MS);
  expect(has(other, d)).toBe(true);
});

it('comes without an event, by the clock alone', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [, b] = [start(), start()];
  await pass(STEP_MS / 4);
  expect(has(runner, b)).toBe(false);
  await pass((3 * STEP_MS) / 4 - SOON_MS);
  expect(has(runner, b)).toBe(true);
});

it('is nothing while another group has no slot, and the groups take turns', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [a, b, c] = [start(), start(), start()];
  const stranger = start('step', 0, NO_TIMEOUTS, 'other code');
  await pass(STEP_MS);
  expect([has(runner, b), has(runners[1], stranger)]).toEqual([false, false]);
  runner?.say(runner.finished(a.task, STEP_MS));
  await pass(STEP_MS);
  // it came first, and now it has had its turn
  expect([has(runner, b), has(runner, c), has(runners[1], stranger)]).toEqual([true, false, false]);
  runner?.say(runner.finished(b.task, STEP_MS));
  await pass(1);
  expect([has(runner, c), has(runners[1], stranger)]).toEqual([false, true]);
});

it('counts its times from when it runs', async () => {
  await poolOf(1);
  const [runner] = runners;
  const silence = { ...NO_TIMEOUTS, silenceMs: 150 };
  const [a, b, c] = [start(), start('step', 150), start('step', 0, silence)];
  await pass(STEP_MS);
  expect([has(runner, b), b.handle.runningSince()]).toEqual([true, 0]);
  // 60 ms ahead by now; it begins
  runner?.say(runner.finished(a.task, STEP_MS));
  const began = Date.now();
  await pass(149);
  expect([b.handle.runningSince(), runner?.cancels]).toEqual([began, []]);
  await pass(26);
  expect(runner?.cancels).toEqual([b.task]);
  runner?.dies(0);
  await pass(1);
  expect(b.outcomes[0]).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' }, usage: { startedAt: began } });
  expect([statuses(c), runners[1]?.cancels]).toEqual([[undefined], []]);
  await pass(149);
  expect(runners[1]?.cancels).toEqual([]);
  await pass(26);
  expect(runners[1]?.cancels).toEqual([c.task]);
});

it('ends when it is cancelled, and the running one goes on', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [a, b] = [start(), start()];
  await pass(STEP_MS - SOON_MS);
  b.handle.cancel('asked for');
  expect(runner?.cancels).toEqual([b.task]);
  runner?.say(runner.finished(b.task, 0, { status: 'cancelled' }));
  await pass(1);
  expect([statuses(a, b), runner?.killed]).toEqual([[undefined, 'cancelled'], false]);
  // it says nothing of how long a step takes
  expect(pool.typicalMs()).toBeCloseTo(STEP_MS);
  // the grace time of what is over
  await pass(5_000);
  runner?.say(runner.finished(a.task, STEP_MS));
  await pass(1);
  expect([statuses(a), runner?.killed]).toEqual([['completed'], false]);
});

it('is not blamed for the death of its process', async () => {
  await poolOf(1);
  const [a, b] = [start(), start()];
  await pass(STEP_MS - SOON_MS);
  expect(has(runners[0], b)).toBe(true);
  runners[0]?.dies(7);
  await pass(1);
  expect([statuses(a, b), has(runners[1], b)]).toEqual([['failed', undefined], true]);
});

it('is blamed when the one before it has answered, if only in the outbox', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [a, b] = [start(), start()];
  await pass(STEP_MS - SOON_MS);
  if (runner !== undefined) runner.saved = [runner.finished(a.task, STEP_MS)];
  runner?.dies(7);
  await pass(1);
  expect(statuses(a, b)).toEqual(['completed', 'failed']);
});

it('leaves to the one before it what that printed last', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [a, b] = [start(), start()];
  await pass(STEP_MS - SOON_MS);
  expect(has(runner, b)).toBe(true);
  runner?.say(runner.finished(a.task, STEP_MS));
  runner?.prints('the last words of a');
  await pass(1);
  runner?.prints('b');
  runner?.say(runner.finished(b.task, STEP_MS));
  await pass(1);
  expect([a, b].map(({ outcomes }) => outcomes[0]?.logs?.stdout)).toEqual(['the last words of a', 'b']);
});

it('is taken back from behind one that takes longer than expected, and goes to another runner', async () => {
  await poolOf(2);
  const [runner, other] = runners;
  const [a, b] = [start(), start()];
  await pass(STEP_MS - SOON_MS);
  const c = start();
  await pass(1);
  const [holder, free, running] = has(runner, c) ? [runner, other, b] : [other, runner, a];
  const startBy = holder?.runs.at(-1)?.startBy ?? 0;
  expect(startBy).toBeGreaterThan(systemMs());
  free?.say(free.finished(running.task, STEP_MS));
  await pass(startBy - systemMs() - 1);
  expect(has(free, c)).toBe(false);
  await pass(30);
  expect(has(free, c)).toBe(true);
  expect(statuses(c)).toEqual([undefined]);
});

it('is not handed again to the runner that has still to pass over it', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [a, b] = [start(), start()];
  await pass(STEP_MS - SOON_MS);
  expect(runner?.runs.filter(({ task }) => task === b.task).length).toBe(1);
  await pass(2 * STEP_MS);
  runner?.say(runner.finished(a.task, 3 * STEP_MS));
  await pass(1);
  expect(runner?.runs.filter(({ task }) => task === b.task).length).toBe(1);
  runner?.say({ type: 'returned', tasks: [b.task] });
  await pass(1);
  expect(runner?.runs.filter(({ task }) => task === b.task).length).toBe(2);
  runner?.say(runner.finished(b.task, STEP_MS));
  await pass(1);
  expect(statuses(a, b)).toEqual(['completed', 'completed']);
});

it('counts as answered by the runner that ran it while it was taken back, and the next one is handed over', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [a, b] = [start(), start()];
  await pass(3 * STEP_MS);
  const c = start();
  // both ran in time: the agent was too busy to read it
  runner?.say(runner.finished(a.task, STEP_MS));
  runner?.say(runner.finished(b.task, STEP_MS));
  await pass(1);
  expect(statuses(a, b)).toEqual(['completed', 'completed']);
  expect(runner?.runs.filter(({ task }) => task === b.task).length).toBe(1);
  expect(has(runner, c)).toBe(true);
});

it('goes on when the one before it ended while it was told to stop, and is given back when that one heard it', async () => {
  await poolOf(1);
  const [runner] = runners;
  const [a, b] = [start(), start()];
  await pass(STEP_MS - SOON_MS);
  expect(has(runner, b)).toBe(true);
  a.handle.cancel('no more');
  runner?.say(runner.finished(a.task, STEP_MS));
  await pass(1);
  expect([runner?.killed, statuses(a, b)]).toEqual([false, ['cancelled', undefined]]);
  const c = start();
  await pass(STEP_MS - SOON_MS);
  expect(has(runner, c)).toBe(true);
  b.handle.cancel('no more');
  runner?.say(runner.finished(b.task, STEP_MS, { status: 'cancelled' }));
  await pass(1);
  expect([runner?.killed, statuses(b, c)]).toEqual([true, ['cancelled', undefined]]);
  expect(has(runners[1], c)).toBe(true);
});
