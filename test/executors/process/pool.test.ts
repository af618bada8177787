/** The process pool alone, with real runner processes: sharing of slots, reuse, and room for other bundles. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeTemplate } from '../../../bus/value/template.ts';
import { decodeValue } from '../../../bus/value/value.ts';
import type { ExecutorCode, ExecutorHandle } from '../../../executors/executor.ts';
import { ProcessPool } from '../../../executors/process/pool.ts';
import { RunnerRoster } from '../../../executors/process/runner-roster.ts';
import { deferred } from '../../../model/deferred.ts';
import { DEFAULT_RETRY, NO_TIMEOUTS } from '../../../model/graph.ts';
import type { Outcome } from '../../../model/outcome.ts';
import { fixtureBundle } from '../../support/agent-harness.ts';
import { taskId } from '../../support/fake-hub.ts';
import { noLog } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';

let dir: string;
let pool: ProcessPool;
let roster: RunnerRoster;
let next = 0;
const SLOTS = 2;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'polaron-pool-'));
  await mkdir(join(dir, 'scratch'));
  roster = new RunnerRoster(join(dir, 'runners'), noLog);
  pool = new ProcessPool({
    slots: SLOTS,
    graceMs: 100,
    clock: realClock,
    scratchDir: join(dir, 'scratch'),
    spare: false,
    start: {
      nodePath: process.execPath,
      env: { PATH: process.env['PATH'] ?? '' },
      cwd: dir,
      maxValueBytes: 1e9,
      agent: 'a1',
      roster,
      clock: realClock,
    },
  });
});
afterEach(async () => {
  await pool.stop();
  roster.close();
  rmSync(dir, { recursive: true, force: true });
});

async function code(name: string): Promise<ExecutorCode> {
  const bundleFile = join(dir, `${name}.mjs`);
  await writeFile(bundleFile, fixtureBundle);
  return { bundleFile, key: name, argv: [], captures: {}, captureKey: 'none' };
}

function run(what: ExecutorCode, electron: string, ...args: unknown[]): Promise<Outcome> {
  return start(what, electron, ...args).ended;
}

function start(
  what: ExecutorCode,
  electron: string,
  ...args: unknown[]
): { readonly handle: ExecutorHandle; readonly ended: Promise<Outcome> } {
  const id = ++next;
  const { promise, resolve } = deferred<Outcome>();
  return {
    ended: promise,
    handle: pool.start(
      {
        task: taskId(id),
        token: [1, 1],
        inputsDigest: digestOf(new Uint8Array()),
        dispatch: 'd',
        about: { user: 'u', lattice: 'l' },
        node: electron,
        electron: { name: electron, executor: 'process', needs: [], retries: DEFAULT_RETRY, timeouts: NO_TIMEOUTS },
        template: encodeTemplate(args, () => undefined, 'arguments'),
        inputs: [],
        split: false,
        timeoutMs: 0,
        code: what,
      },
      { log: () => undefined, progress: () => undefined, ended: resolve },
    ),
  };
}

const value = (outcome: Outcome): unknown =>
  outcome.status === 'completed' && outcome.bytes !== undefined ? decodeValue(outcome.bytes) : outcome;

describe('the pool', { timeout: 60_000 }, () => {
  it('keeps a process warm for the next electron of its bundle', async () => {
    const a = await code('a');
    const pids = [value(await run(a, 'pid')), value(await run(a, 'pid')), value(await run(a, 'pid'))];
    expect(new Set(pids).size).toBe(1);
  });

  it('runs no more than its slots at once, each long one in a process of its own', async () => {
    const a = await code('a');
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => run(a, 'sleep', 100, 0)));
    const spans = outcomes.map(({ usage }) => usage);
    expect(
      spans.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]).filter((ms) => !Number.isInteger(ms)),
    ).toEqual([]);
    for (const { startedAt } of spans) {
      const overlapping = spans.filter((other) => other.startedAt <= startedAt + 5 && other.endedAt > startedAt + 10);
      expect(overlapping.length).toBeLessThanOrEqual(SLOTS);
    }
  });

  it('ends, gives back or forgets what only waits at once, and then knows nothing of it', async () => {
    const a = await code('a');
    const running = [start(a, 'sleep', 400, 0), start(a, 'sleep', 400, 0)];
    const [first, second, third] = [start(a, 'noop'), start(a, 'noop'), start(a, 'noop')];
    first.handle.cancel('asked for');
    expect((await first.ended).status).toBe('cancelled');
    expect([first.handle.revoke(), second.handle.runningSince(), second.handle.revoke()]).toEqual([false, 0, true]);
    third.handle.forget();
    const told: Outcome[] = [];
    for (const { ended } of [second, third]) void ended.then((outcome) => told.push(outcome));
    for (const { ended } of running) expect((await ended).status).toBe('completed');
    await run(a, 'noop');
    expect(told).toEqual([]);
  });

  it('gives a bundle its turn while another has endless short work', async () => {
    const [a, b] = [await code('a'), await code('b')];
    await Promise.all(Array.from({ length: 50 }, () => run(a, 'noop')));
    const flooding = new AbortController();
    const flood = Promise.all(
      // more than fits into both lanes, so that neither ever idles by itself
      Array.from({ length: 3_000 }, async () => {
        while (!flooding.signal.aborted) await run(a, 'noop');
      }),
    );
    expect(value(await run(b, 'add', 1, 2))).toBe(3);
    flooding.abort();
    await flood;
  });

  it('makes room for new bundles by ending idle processes', async () => {
    const pids = new Set<unknown>();
    for (let i = 0; i < 8; i++) pids.add(value(await run(await code(`bundle-${i}`), 'pid')));
    expect(pids.size).toBe(8);
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(join(dir, 'runners')).length).toBeLessThanOrEqual(SLOTS + 3);
  });

  it('leaves nothing that an electron had started, detached or not, when its process has ended', async () => {
    const { startTimeOf } = await import('../../../executors/process/process-table.ts');
    const a = await code('a');
    const daemon = value(await run(a, 'startsDaemon', 0));
    if (typeof daemon !== 'number') throw new RangeError('a pid');
    expect(startTimeOf(daemon)).toBeDefined();
    expect(await run(a, 'exits')).toMatchObject({ status: 'failed', error: { code: 'EXITED' } });
    await until(() => startTimeOf(daemon) === undefined, 'it has ended', 2_000);
  });

  it('loads the code again when its process is killed meanwhile, but not for ever', async () => {
    // kills itself while it loads, as long as there is a file to take away
    const bundleFile = join(dir, 'killed.mjs');
    const fuse = (number: number): string => join(dir, `fuse-${number}`);
    await writeFile(
      bundleFile,
      `import { existsSync as isThere, rmSync } from 'node:fs';
       for (let n = 0; n < 9; n++) {
         const fuse = ${JSON.stringify(join(dir, 'fuse-'))} + n;
         if (isThere(fuse)) { rmSync(fuse); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); }
       }
       ${fixtureBundle}`,
    );
    const a: ExecutorCode = { bundleFile, key: 'killed', argv: [], captures: {}, captureKey: 'none' };
    for (const n of [0, 1, 2]) await writeFile(fuse(n), '');
    expect(value(await run(a, 'add', 1, 2))).toBe(3);
    const b: ExecutorCode = { ...a, key: 'killed again' };
    for (const n of [0, 1, 2, 3]) await writeFile(fuse(n), '');
    expect(await run(b, 'add', 1, 2)).toMatchObject({ status: 'failed', error: { code: 'BUNDLE_LOAD' } });
  });
});
