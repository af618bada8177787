/** Runners behind a bridge, with a pair of pipes as the stream: all that runners here do, and what only distance brings. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessPool } from '../../../executors/process/pool.ts';
import { startTimeOf } from '../../../executors/process/process-table.ts';
import { remoteRunners } from '../../../executors/remote/remote-runner.ts';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { inlineValue, inputTemplate, openPoolBench, type PoolBench, type Started } from '../../support/pool-bench.ts';
import { fixtureBundle } from '../../support/agent-harness.ts';
import { python } from '../../support/python.ts';
import { startLocalBridge, type LocalBridge } from '../../support/local-bridge.ts';
import { until } from '../../support/until.ts';

let bench: PoolBench;
let bridge: LocalBridge;
let pool: ProcessPool;

beforeEach(() => {
  bench = openPoolBench();
  bridge = startLocalBridge(join(bench.dir, 'there'), { FLAVOUR: 'theirs' });
  pool = new ProcessPool({
    ...bench.options,
    run: remoteRunners({ link: () => bridge.link, env: () => ({ EXTRA: 'ours' }) }),
  });
});
afterEach(async () => {
  await pool.stop();
  await bridge.link.close();
  bench.close();
});

const run = (electron: string, ...args: unknown[]) => bench.run(pool, electron, ...args);

describe('a pool of runners behind a bridge', { timeout: 30_000 }, () => {
  it('runs electrons with the environment of the place, and keeps the runner warm', async () => {
    expect(inlineValue(await run('add', 1, 2))).toBe(3);
    expect(inlineValue(await run('env'))).toEqual(['theirs', null, []]);
    const pids = [inlineValue(await run('pid')), inlineValue(await run('pid'))];
    expect(pids[0]).toBe(pids[1]);
    expect(inlineValue(await run('throws'))).toMatchObject({
      status: 'failed',
      error: { code: 'TASK_THREW', userCode: 'E_COLUMN' },
    });
  });

  it('has exits, crashes and exhausted heaps told as those of processes here', async () => {
    expect(await run('exits')).toMatchObject({ status: 'failed', error: { code: 'EXITED' } });
    expect(await run('segfaults')).toMatchObject({ status: 'failed', error: { code: 'CRASHED' } });
    const heap = await bench.start(pool, 'heap', [], { electron: { memoryMb: 48 } }).ended;
    expect(heap.outcome).toMatchObject({ status: 'failed', error: { code: 'OUT_OF_MEMORY' } });
  });

  it('kills over there what holds more memory than it may', async () => {
    const { outcome } = await bench.start(pool, 'buffers', [], { electron: { memoryMb: 64 } }).ended;
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'MEMORY_LIMIT' } });
  });

  it('brings output in order, also what bypasses the runner, and bounds it', async () => {
    const printed = await run('prints', 'word', 3);
    expect(printed.logs).toEqual({
      stdout: 'word 0\nword 1\nword 2\n',
      stderr: 'word err 0\nword err 1\nword err 2\n',
    });
    expect((await run('printsRaw')).logs).toEqual({ stdout: 'raw out\n', stderr: 'from a child\n' });
    const much = (await run('printsMuch')).logs?.stdout ?? '';
    expect(much.length).toBeLessThan(70_000);
    expect([much.startsWith('line 0\n'), much.endsWith('line 19999\n')]).toEqual([true, true]);
  });

  it('brings large results back as files, and leaves nothing of them there', async () => {
    const bytes = 20 * 1024 * 1024;
    const { outcome, file = '' } = await bench.start(pool, 'big', [bytes]).ended;
    expect(outcome).toMatchObject({ status: 'completed' });
    const content = readFileSync(file);
    expect(outcome.status === 'completed' && outcome.value.digest).toBe(digestOf(content));
    expect(decodeValue(content)).toHaveLength(bytes);
    const stopped = bench.start(pool, 'big', [bytes]);
    await until(() => stopped.handle.runningSince() > 0, 'it runs');
    stopped.handle.forget();
    await run('noop');
    await until(() => readdirSync(bench.scratch).length === 0, 'nothing is left here');
    const left = (): string[] => readdirSync(bridge.folder, { recursive: true, encoding: 'utf8' });
    await until(() => !left().some((name) => name.includes('polaron-result')), 'nothing is left');
  });

  it('sends large inputs over once, however many electrons read them', async () => {
    const file = join(bench.dir, 'input');
    writeFileSync(file, encodeValue(new Uint8Array(3_000_000).fill(5), 'value', 'NOT_SERIALISABLE'));
    const template = inputTemplate(1);
    const asked = { template, inputs: [{ file }] };
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => bench.start(pool, 'size', [], asked).ended));
    expect(outcomes.map(({ outcome }) => inlineValue(outcome))).toEqual([3_000_000, 3_000_000, 3_000_000, 3_000_000]);
    expect(readdirSync(join(bridge.folder, 'files'))).toHaveLength(1);
  });

  it('says that an input is missing, and answers a cancelled one whose inputs are still on the way', async () => {
    const inputs = [{ file: join(bench.dir, 'nowhere') }];
    const { outcome } = await bench.start(pool, 'size', [], { template: inputTemplate(1), inputs }).ended;
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'VALUE_MISSING' } });
    const file = join(bench.dir, 'large');
    writeFileSync(file, encodeValue(new Uint8Array(200_000_000), 'value', 'NOT_SERIALISABLE'));
    await run('noop');
    const slow = bench.start(pool, 'size', [], { template: inputTemplate(1), inputs: [{ file }] });
    await until(() => slow.handle.runningSince() > 0, 'it was handed over');
    slow.handle.cancel('asked for');
    expect((await slow.ended).outcome.status).toBe('cancelled');
  });

  it('stops what is cancelled: by its signal, else by force, with what it has started', async () => {
    const polite = bench.start(pool, 'waitsForAbort', []);
    await until(() => polite.handle.runningSince() > 0, 'it runs');
    polite.handle.cancel('asked for');
    expect((await polite.ended).outcome.status).toBe('cancelled');
    const daemon = bench.start(pool, 'startsDaemon', [60_000]);
    await until(() => daemon.lines.some((line) => line.includes('daemon')), 'it has started one');
    const pid = Number(/daemon (\d+)/.exec(daemon.lines.join(''))?.[1]);
    expect(startTimeOf(pid)).toBeDefined();
    daemon.handle.cancel('asked for');
    expect((await daemon.ended).outcome.status).toBe('cancelled');
    await until(() => startTimeOf(pid) === undefined, 'it is gone');
    const spins = await bench.start(pool, 'forever', [], { timeoutMs: 200 }).ended;
    expect(spins.outcome).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } });
  });

  it('runs leptons in Python and shell with the interpreters over there; C says that it needs an agent', async () => {
    const text = `${fixtureBundle}
      electron('lepton', (spec) => registry.agent.lepton({ name: 'l', ...spec }, []));`;
    const lepton = async (spec: unknown): Promise<unknown> => {
      const { outcome } = await bench.start(pool, 'lepton', [spec], { code: bench.code('leptons', text) }).ended;
      return inlineValue(outcome);
    };
    expect(await lepton({ language: 'shell', command: 'echo $EXTRA', output: 'stdout' })).toBe('ours');
    const c = { language: 'c', library: 'libm.so.6', function: 'sqrt', arguments: [], returns: 'double' };
    expect(await lepton(c)).toMatchObject({ error: { code: 'LEPTON_MISSING' } });
    if (python === undefined) return;
    const sources = { 'm.py': 'def f():\n    return [1, 2]\n' };
    expect(await lepton({ language: 'python', function: 'f', module: 'm', sources, folder: 'x' })).toEqual([1, 2]);
  });

  it('removes scratch folders over there', async () => {
    const dir = String(inlineValue(await run('scratch')));
    expect(dir.startsWith(bridge.folder)).toBe(true);
    await until(() => !existsSync(dir), 'it is removed');
  });

  it('takes many short electrons ahead, and loses none when one gets stuck or dies', async () => {
    await Promise.all(Array.from({ length: 200 }, () => run('maybeDie', 'no')));
    const all = await Promise.all(Array.from({ length: 300 }, (_, i) => run('maybeDie', i === 150 ? 'exit' : 'no')));
    expect(all.filter(({ status }) => status === 'completed')).toHaveLength(299);
    const text = `${fixtureBundle}
      import { appendFileSync } from 'node:fs';
      electron('marks', (file, n, how) => {
        appendFileSync(file, n + '\\n');
        if (how === 'stuck') for (;;);
        return n;
      });`;
    const code = bench.code('marks', text);
    const file = join(bench.dir, 'marks');
    const mark = (n: number, how: string): Started => bench.start(pool, 'marks', [file, n, how], { code });
    await Promise.all(Array.from({ length: 200 }, (_, n) => mark(n, 'runs').ended));
    // in the midst of what is handed ahead: answers of those before it are saved over there, not sent
    const before = Array.from({ length: 100 }, (_, n) => mark(200 + n, 'runs'));
    const stuck = mark(1_000, 'stuck');
    const after = Array.from({ length: 300 }, (_, n) => mark(300 + n, 'runs'));
    const more = await Promise.all([...before, ...after].map(({ ended }) => ended));
    expect(more.filter(({ outcome }) => outcome.status === 'completed')).toHaveLength(400);
    const marks = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    expect(marks.toSorted((x, y) => x - y)).toEqual([...Array.from({ length: 600 }, (_, n) => n), 1_000]);
    stuck.handle.cancel('asked for');
    expect((await stuck.ended).outcome.status).toBe('cancelled');
  });

  it('ends every electron with the reason when the bridge is gone', async () => {
    const running = bench.start(pool, 'sleep', [60_000, 0]);
    await until(() => running.handle.runningSince() > 0, 'it runs');
    const pid = bridge.child.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    expect((await running.ended).outcome).toMatchObject({ error: { code: 'EXECUTOR_FAILED' } });
  });

  it('leaves no process and no folder when its stream ends', async () => {
    const running = bench.start(pool, 'pid', []);
    const pid = Number(inlineValue((await running.ended).outcome));
    expect(startTimeOf(pid)).toBeDefined();
    bridge.child.stdin?.destroy();
    await until(() => startTimeOf(pid) === undefined && !existsSync(bridge.folder), 'all is gone');
  });
});
