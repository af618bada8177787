import { describe, expect, it } from 'vitest';
import type { DispatchDetail } from '../../bus/protocol/api.ts';
import type { HubApi, WatchEvent } from '../../cli/hub-api.ts';
import { PolaronError } from '../../model/errors.ts';
import { NOW, polaron } from './support/fake-context.ts';
import { dispatchDetail, electron, failure, ID, snapshots } from './support/hub-data.ts';

const resultOf = (dispatch: DispatchDetail, decoded?: unknown): Pick<HubApi, 'result'> => ({
  result: async () => (dispatch.status === 'completed' ? { dispatch, value: { decoded } } : { dispatch }),
});
const completed = (value: unknown): Pick<HubApi, 'result'> => resultOf(dispatchDetail(), value);
const failed = dispatchDetail({ status: 'failed', error: failure, errors: [failure] });
const cancelled = dispatchDetail({ status: 'cancelled' });
const running = dispatchDetail({ status: 'running' });

describe('polaron result', () => {
  it('prints a completed value and exits 0', async () => {
    const { exit, out, err } = await polaron(['result', ID], {
      hub: completed({ accuracy: 0.97, of: [[[[[4]]]]] }),
    });
    expect([exit, err]).toEqual([0, '']);
    expect(out).toBe('{\n  accuracy: 0.97,\n  of: [\n    [\n      [ [ [ 4 ] ] ]\n    ]\n  ]\n}\n');
  });

  it('prints a string as it is', async () => {
    expect((await polaron(['result', ID], { hub: completed("it's") })).out).toBe("it's\n");
  });

  it('prints undefined, too', async () => {
    expect((await polaron(['result', ID], { hub: completed(undefined) })).out).toBe('undefined\n');
    const { out } = await polaron(['result', ID, '--json'], { hub: completed(undefined) });
    expect(JSON.parse(out)).toEqual({ id: ID, status: 'completed', value: { $type: 'undefined' } });
  });

  it('has id, status and value as JSON', async () => {
    const value = { a: [1, 'x', null], m: new Map([['k', 1n]]), z: -0 };
    const { exit, out } = await polaron(['result', ID, '--json'], { hub: completed(value) });
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toEqual({
      id: ID,
      status: 'completed',
      value: {
        a: [1, 'x', null],
        m: { $type: 'Map', entries: [['k', { $type: 'bigint', value: '1' }]] },
        z: { $type: 'number', value: '-0' },
      },
    });
  });

  it.each([
    [
      failed,
      1,
      { error: { node: 'train[3]', ...failure.error } },
      /WORKFLOW_FAILED: dispatch .* failed: train\[3\]: TASK_THREW: x is not a function\. See `polaron show/,
    ],
    [
      cancelled,
      1,
      { error: { code: 'WORKFLOW_CANCELLED', message: 'The dispatch was cancelled.' } },
      /WORKFLOW_CANCELLED/,
    ],
    [running, 4, {}, /WAIT_TIMEOUT: dispatch .* is not finished \(running\)\. Add --wait/],
  ])('of a dispatch that is %o exits accordingly', async (dispatch, code, rest, line) => {
    const human = await polaron(['result', ID], { hub: resultOf(dispatch) });
    expect([human.exit, human.out]).toEqual([code, '']);
    expect(human.err).toMatch(line);
    expect(human.err.trimEnd()).not.toContain('\n');
    const json = await polaron(['result', ID, '--json'], { hub: resultOf(dispatch) });
    expect([json.exit, json.err]).toEqual([code, '']);
    expect(JSON.parse(json.out)).toEqual({ id: ID, status: dispatch.status, ...rest });
  });

  it('waits only when asked to', async () => {
    const asked: boolean[] = [];
    const hub: Pick<HubApi, 'result'> = {
      result: async (_, wait) => {
        asked.push(wait);
        return { dispatch: dispatchDetail(), value: { decoded: 1 } };
      },
    };
    await polaron(['result', ID], { hub });
    await polaron(['result', ID, '--wait'], { hub });
    expect(asked).toEqual([false, true]);
  });

  it('an unknown id exits 2, and its error is the one document with --json', async () => {
    const hub: Partial<HubApi> = {
      result: async () => {
        throw new PolaronError('UNKNOWN_DISPATCH', 'there is no dispatch "x"', { details: { near: [] } });
      },
    };
    const { exit, out } = await polaron(['result', 'x', '--json'], { hub });
    expect(exit).toBe(2);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'UNKNOWN_DISPATCH', message: 'there is no dispatch "x"', help: 'See `polaron ls`.' },
    });
  });
});

const at = NOW;
const events: readonly WatchEvent[] = [
  { seq: 0, at, type: 'dispatch.accepted' },
  { seq: 1, at, type: 'electron.running', electron: 'train[0]', data: { agent: 'local.a', attempt: 1 } },
  { seq: 1, at, type: 'electron.progress', electron: 'train[0]', data: { fraction: 0.5, note: 'half' } },
  { seq: 2, at, type: 'electron.failed', electron: 'train[0]', data: { attempt: 2, error: failure.error } },
  { seq: 3, at, type: 'electron.skipped', electron: 'score', data: { cause: 'train[0]' } },
  { seq: 4, at, type: 'dispatch.failed', data: { error: failure } },
];

const counts = { completed: 2, running: 1, failed: 1 };
const { endedAt: _, ...underWay } = dispatchDetail({ status: 'running', counts });
const watching = (all: readonly WatchEvent[], detail: DispatchDetail = underWay): Partial<HubApi> => ({
  snapshot: snapshots(detail, [electron(0)]),
  watch: async function* () {
    yield* all;
  },
});

describe('polaron watch', () => {
  it('prints a plain line per event in a pipe and exits as the dispatch ended', async () => {
    const { exit, out, statuses } = await polaron(['watch', ID], { hub: watching(events) });
    expect([exit, statuses]).toEqual([1, []]);
    expect(out.split('\n').map((line) => line.slice(10))).toEqual([
      'accepted   dispatch',
      'running    train[0]  on local.a',
      'progress   train[0]  50 %, half',
      'failed     train[0]  TASK_THREW: x is not a function, attempt 2',
      'skipped    score  because of train[0]',
      'failed     dispatch  train[3]: TASK_THREW: x is not a function',
      '',
    ]);
    expect(out).toMatch(/^\d\d:\d\d:\d\d {2}accepted/);
    expect((await polaron(['watch', ID], { hub: watching([{ seq: 1, at, type: 'dispatch.completed' }]) })).exit).toBe(
      0,
    );
  });

  it('is one JSON document per event', async () => {
    const { out } = await polaron(['watch', ID, '--json'], { hub: watching(events), live: true });
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toHaveLength(events.length);
    expect(lines[1]).toEqual({
      seq: 1,
      at: '2026-03-01T09:05:07.000Z',
      type: 'electron.running',
      electron: 'train[0]',
      data: { agent: 'local.a', attempt: 1 },
    });
  });

  it('has a bar on a terminal, with a line per electron that ended, and takes the bar away', async () => {
    const { out, statuses } = await polaron(['watch', ID], { hub: watching(events), live: true });
    expect(out).not.toContain('running');
    expect(out.match(/train\[0\] {2}TASK_THREW/g)).toHaveLength(1);
    expect(statuses[0]).toBe(`${'█'.repeat(21)}${'░'.repeat(7)} 3/4  2 completed, 1 failed, 1 running  11.0 s`);
    expect(statuses.at(-1)).toBe('');
    const ended = await polaron(['watch', ID], { hub: watching(events, dispatchDetail()), live: true });
    expect(ended.statuses[0], 'how long it took').toMatch(/2 completed {2}4\.0 s$/);
  });

  it('exits 4 when it is interrupted', async () => {
    const controller = new AbortController();
    const hub: Partial<HubApi> = {
      watch: async function* (_, signal) {
        yield { seq: 0, at, type: 'dispatch.accepted' };
        controller.abort(new Error('SIGINT'));
        signal.throwIfAborted();
      },
    };
    const { exit, err, closed } = await polaron(['watch', ID], { hub, signal: controller.signal });
    expect([exit, err, closed]).toEqual([4, '', true]);
  });
});
