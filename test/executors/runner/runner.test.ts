/** The runner's queue alone, with a link that only remembers: R2 and R4 of runner.ts. */
import { expect, it } from 'vitest';
import { encodeTemplate } from '../../../bus/value/template.ts';
import type { Link } from '../../../executors/runner/link.ts';
import type { LoadedBundle } from '../../../executors/runner/loader.ts';
import type { FromRunner, RunTask } from '../../../executors/runner/messages.ts';
import { Runner } from '../../../executors/runner/runner.ts';
import { deferred } from '../../../model/deferred.ts';
import { until } from '../../support/until.ts';

const task = (id: string, startBy = 0): RunTask => ({
  type: 'run',
  task: `d_${id}`,
  electron: 'note',
  token: [1, 1],
  about: { user: 'u', lattice: 'l', metadata: { team: 'a' } },
  node: id,
  template: encodeTemplate([id], () => undefined, 'arguments'),
  inputs: [],
  split: false,
  env: undefined,
  hooks: undefined,
  startBy,
});

/** `known`: what the agent has in its pipe or can read in the outbox; `sent`: only the former. Told when each task starts. */
function runnerOf(onStart: (id: string, known: readonly string[], sent: readonly string[]) => unknown): {
  readonly runner: Runner;
  readonly sent: readonly FromRunner[];
} {
  const batch: FromRunner[] = [];
  const sent: FromRunner[] = [];
  let saved = 0;
  const link: Link = {
    send: (message) => void batch.push(message),
    save: () => void (saved = batch.length),
    flush: () => {
      sent.push(...batch.splice(0));
      saved = 0;
    },
    flushSync: () => undefined,
  };
  const finished = (messages: readonly FromRunner[]): string[] =>
    messages.flatMap((message) => (message.type === 'finished' ? [message.task.slice(2)] : []));
  const note = (id: unknown): unknown =>
    onStart(String(id), finished([...sent, ...batch.slice(0, saved)]), finished(sent));
  const bundle: LoadedBundle = {
    error: undefined,
    haltedAt: undefined,
    get: () => note,
    explainTdz: () => undefined,
    find: () => Promise.resolve({ fn: note }),
    index: () => Promise.resolve([]),
  };
  const runner = new Runner({ link, load: () => Promise.resolve(bundle), maxValueBytes: 1e6, scratchRoot: '/nowhere' });
  runner.message({ type: 'load', argv: [] });
  return { runner, sent };
}

it('saves each answer before the next task, and sends all before the last, which may take long', async () => {
  const starts: (readonly [string, readonly string[], readonly string[]])[] = [];
  const { runner, sent } = runnerOf((id, known, out) => void starts.push([id, known, out]));
  const ids = Array.from({ length: 6 }, (_, i) => String(i));
  for (const id of ids) runner.message(task(id));
  runner.work();
  await until(() => sent.length === 1 + ids.length, 'all answers');
  expect(starts.map(([id, known]) => [id, known])).toEqual(ids.map((id, i) => [id, ids.slice(0, i)]));
  expect(starts.at(-1)?.[2]).toEqual(ids.slice(0, -1));
});

it('passes over a task that it comes to too late, and says so', async () => {
  const started: string[] = [];
  const { runner, sent } = runnerOf((id) => void started.push(id));
  for (const one of [task('a'), task('late', 1), task('b')]) runner.message(one);
  runner.work();
  await until(() => sent.length === 4, 'all answers');
  expect(started).toEqual(['a', 'b']);
  expect(sent).toContainEqual({ type: 'returned', tasks: ['d_late'] });
});

it('starts nothing after a task that was told to stop: what began in this process would end with it', async () => {
  const started: string[] = [];
  const gate = deferred<void>();
  const { runner, sent } = runnerOf((id) => {
    started.push(id);
    return id === 'a' ? gate.promise : undefined;
  });
  for (const one of [task('a'), task('b')]) runner.message(one);
  runner.work();
  await until(() => started.length === 1, 'the first one');
  runner.message({ type: 'cancel', task: 'd_a', code: 'CANCELLED', reason: 'no more' });
  gate.resolve();
  await until(() => sent.some(({ type }) => type === 'finished'), 'its answer');
  runner.message(task('c'));
  runner.work();
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(started).toEqual(['a']);
  expect(sent).toContainEqual(expect.objectContaining({ task: 'd_a', result: { status: 'cancelled' } }));
});

it('sends what is printed right after other output, though the function goes on and says nothing more', async () => {
  const gate = deferred<void>();
  const { runner, sent } = runnerOf(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { current } = runner;
    if (current === undefined) throw new Error('it runs');
    for (const text of ['first', 'second', 'third']) runner.write(current, 'stdout', text);
    return gate.promise;
  });
  runner.message(task('a'));
  runner.work();
  const said = (): string => sent.flatMap((message) => (message.type === 'log' ? [message.text] : [])).join('');
  await until(() => said() === 'firstsecondthird', 'all that it printed');
  gate.resolve();
});
