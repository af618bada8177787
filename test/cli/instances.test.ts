import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { beginDetached, type DetachOutcome } from '../../host/detach.ts';
import { endProcesses } from '../../host/end-processes.ts';
import { comparableOptions, differingOptions, homePaths } from '../../host/home.ts';
import { forgetInstance, isLiving, livingInstances, ofHub, recordInstance } from '../../host/instances.ts';
import { listProcesses, processInfo } from '../../executors/process/process-table.ts';
import type { ProcessInfo } from '../../executors/process/process-table.ts';
import { takeStartLock } from '../../host/start-lock.ts';

vi.setConfig({ testTimeout: 60_000 });

let home: string;
let children: ChildProcess[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'polaron-run-'));
  children = [];
});

afterEach(() => {
  for (const { pid, exitCode, signalCode } of children)
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, 'SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** A process that says `up` when `code` has run. */
async function idle(code = '', detached = true): Promise<ProcessInfo> {
  const script = `${code}; setInterval(() => undefined, 1000); console.log('up')`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'], detached });
  children.push(child);
  if (child.stdout === null) throw new Error('no stdout');
  await once(child.stdout, 'data');
  const info = processInfo(child.pid ?? 0);
  if (info === undefined) throw new Error('it is gone');
  return info;
}

const ignoreTerm = "process.on('SIGTERM', () => undefined)";
const grandchild = (code: string): string =>
  `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`${code}; setInterval(() => undefined, 1000)`)}], { stdio: 'ignore', detached: true })`;

async function childOf(parent: number): Promise<ProcessInfo> {
  for (;;) {
    const found = listProcesses().find((info) => info.parent === parent);
    if (found !== undefined) return found;
    await sleep(10);
  }
}

describe('instances', () => {
  it('are found while they live, and their records go with them', async () => {
    const { pid } = await idle();
    const recorded = recordInstance(home, 'local-agent', pid, 7);
    expect(livingInstances(home)).toEqual([recorded]);
    expect(recorded).toMatchObject({ kind: 'local-agent', pid, owner: 7 });
    const [child] = children;
    child?.kill('SIGKILL');
    if (child !== undefined) await once(child, 'exit');
    expect(livingInstances(home)).toEqual([]);
    expect(readdirSync(join(home, 'run'))).toEqual([]);
  });

  it('another process with the same pid is not the instance', async () => {
    const { pid } = await idle();
    recordInstance(home, 'runner', pid);
    const file = join(home, 'run', `runner-${pid}.json`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"startTime":"', '"startTime":"1'));
    expect(livingInstances(home)).toEqual([]);
    expect(existsSync(file)).toBe(false);
    expect(processInfo(pid)).toBeDefined();
  });

  it('a zombie does not live', async () => {
    // The shell's child ends when it is told to: once the shell has become sleep, which never waits for it. Before, the shell itself might.
    const child = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    children.push(child);
    if (child.stdout === null) throw new Error('sh has no output to read');
    const [pid] = await once(child.stdout, 'data');
    const isSleep = (): boolean => readFileSync(`/proc/${String(child.pid)}/comm`, 'utf8') === 'sleep\n';
    while (process.platform === 'linux' && !isSleep()) await sleep(5);
    const end = child.stdio[3];
    if (end instanceof Writable) end.end();
    while (processInfo(Number(pid)) !== undefined) await sleep(10);
    if (process.platform === 'linux') expect(readFileSync(`/proc/${Number(pid)}/stat`, 'utf8')).toContain(' Z ');
    expect(recordInstance(home, 'runner', Number(pid))).toBeUndefined();
  });

  it('a record that cannot be read is removed and stops nothing', () => {
    recordInstance(home, 'hub', process.pid);
    writeFileSync(join(home, 'run', 'agent-1.json'), '{"kind":"agent"');
    writeFileSync(join(home, 'run', 'agent-2.json'), '{"kind":"other","pid":1,"startTime":"x"}');
    expect(livingInstances(home).map(({ kind }) => kind)).toEqual(['hub']);
    forgetInstance(home, 'hub', process.pid);
    expect(readdirSync(join(home, 'run'))).toEqual([]);
  });

  it('of the hub are all but agents started by hand and their runners', () => {
    const one = (kind: 'hub' | 'local-agent' | 'agent' | 'runner', pid: number, owner?: number) => ({
      kind,
      pid,
      startTime: 'x',
      ...(owner === undefined ? {} : { owner }),
    });
    const all = [
      one('hub', 1),
      one('local-agent', 2, 1),
      one('agent', 3),
      one('runner', 4, 2),
      one('runner', 5, 3),
      one('runner', 6, 99),
    ];
    expect(ofHub(all).map(({ pid }) => pid)).toEqual([1, 2, 4, 6]);
  });
});

describe('endProcesses', () => {
  it('ends a process and what it started in groups of their own', async () => {
    const root = await idle(grandchild(''));
    const child = await childOf(root.pid);
    expect(child.group).not.toBe(root.group);
    expect(await endProcesses([root], { graceMs: 5_000 })).toEqual([{ pid: root.pid, how: 'ended' }]);
    expect([isLiving(root), isLiving(child)]).toEqual([false, false]);
  });

  it('kills what does not end in its time', async () => {
    const root = await idle(`${ignoreTerm}; ${grandchild(ignoreTerm)}`);
    const child = await childOf(root.pid);
    expect(await endProcesses([root], { graceMs: 100 })).toEqual([{ pid: root.pid, how: 'killed' }]);
    expect([isLiving(root), isLiving(child)]).toEqual([false, false]);
  });

  it('gives what is left a SIGTERM of its own once the root is gone', async () => {
    const file = join(home, 'said');
    const say = (word: string): string => `require('node:fs').writeFileSync(${JSON.stringify(file)}, '${word}')`;
    const polite = `process.on('SIGTERM', () => { ${say('bye')}; process.exit() }); ${say('ready')}`;
    const root = await idle(grandchild(polite));
    const child = await childOf(root.pid);
    while (!existsSync(file)) await sleep(10);
    await endProcesses([root], { graceMs: 5_000 });
    expect(isLiving(child)).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('bye');
  });

  it('never signals a process whose start time is another', async () => {
    const innocent = await idle();
    const stale = { pid: innocent.pid, startTime: 'earlier' };
    expect(await endProcesses([stale], { graceMs: 100 })).toEqual([{ pid: innocent.pid, how: 'ended' }]);
    expect(isLiving(innocent)).toBe(true);
  });

  it('spares the caller and the group that it shares with a target', async () => {
    const sibling = await idle('', false);
    const root = await idle('', false);
    expect(root.group).toBe(sibling.group);
    await endProcesses([root], { graceMs: 5_000 });
    expect([isLiving(root), isLiving(sibling)]).toEqual([false, true]);
  });
});

describe('takeStartLock', () => {
  it('keeps a second one waiting until the first gives it back', async () => {
    const file = join(home, 'start.lock');
    const release = await takeStartLock(file, 0);
    await expect(takeStartLock(file, 50)).rejects.toMatchObject({ code: 'START_FAILED' });
    const second = takeStartLock(file, 5_000);
    release();
    (await second)();
    expect(readdirSync(home)).toEqual([]);
  });

  it.each([
    ['of a dead process', JSON.stringify({ pid: 2 ** 22 + 1, startTime: 'x' })],
    ['of another process with its pid', JSON.stringify({ pid: process.pid, startTime: 'x' })],
    ['that is empty', ''],
    ['that is something else', '[1]'],
  ])('takes over one %s at once', async (_, content) => {
    const file = join(home, 'start.lock');
    writeFileSync(file, content);
    const release = await takeStartLock(file, 0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
    release();
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('beginDetached', () => {
  const start = (code: string, readyTimeoutMs = 10_000, told: unknown = {}): Promise<DetachOutcome> =>
    beginDetached({
      command: process.execPath,
      args: ['-e', code],
      env: process.env,
      logFile: join(home, 'log'),
      tailLines: 2,
    }).ready(told, readyTimeoutMs);
  const say = (word: unknown): string =>
    `require('node:fs').writeSync(3, ${JSON.stringify(JSON.stringify(word))} + '\\n')`;

  it('answers with the word, and the process lives on in a session of its own', async () => {
    const outcome = await start(`${say({ ready: 1 })}; setInterval(() => undefined, 1000)`);
    expect(outcome).toMatchObject({ type: 'word', word: { ready: 1 } });
    const info = processInfo(outcome.type === 'word' ? outcome.pid : 0);
    expect(info?.group).toBe(info?.pid);
    if (info !== undefined) await endProcesses([info], { graceMs: 1_000 });
  });

  it('answers with the last lines of its own log when it ends without a word', async () => {
    writeFileSync(join(home, 'log'), 'an older start\n');
    const outcome = await start("console.log('a\\nb'); console.error('c'); process.exitCode = 3");
    expect(outcome).toEqual({ type: 'failed', reason: 'it exited with 3', logTail: ['b', 'c'] });
    expect(readFileSync(join(home, 'log'), 'utf8')).toBe('an older start\na\nb\nc\n');
  });

  it('ends one that stays silent', async () => {
    const outcome = await start('console.log(process.pid); setInterval(() => undefined, 1000)', 400);
    expect(outcome).toMatchObject({ type: 'failed', reason: 'it said nothing for 400 ms' });
    expect(processInfo(Number(outcome.logTail[0]))).toBeUndefined();
  });

  it('says when there is no such program', async () => {
    const nothing = beginDetached({ command: '/no/such', args: [], env: {}, logFile: join(home, 'log') });
    expect(await nothing.ready({}, 1_000)).toMatchObject({
      type: 'failed',
      reason: expect.stringContaining('ENOENT'),
    });
  });

  it('tells it what to be, however long that is and however late it begins to listen', async () => {
    const told = { text: 'ä'.repeat(100_000) };
    const side = new URL('../../host/detached.ts', import.meta.url).href;
    const code = `setTimeout(async () => {
      const { takeDetachedChannel } = await import(${JSON.stringify(side)});
      const channel = takeDetachedChannel(process.env);
      channel.tell({ heard: channel.told(), forgotten: process.env.POLARON_DETACHED_FD === undefined });
    }, 100)`;
    const args = ['--import', import.meta.resolve('tsx'), '-e', code];
    const child = beginDetached({ command: process.execPath, args, env: process.env, logFile: join(home, 'log') });
    expect(await child.ready(told, 20_000)).toMatchObject({ type: 'word', word: { heard: told, forgotten: true } });
  });

  it('moves a log that has grown large aside', async () => {
    writeFileSync(join(home, 'log'), Buffer.alloc(10 * 1024 * 1024 + 1));
    await start("console.log('new')");
    expect(readFileSync(join(home, 'log'), 'utf8')).toBe('new\n');
    expect(existsSync(join(home, 'log.1'))).toBe(true);
  });
});

describe('the home folder', () => {
  it('is POLARON_HOME, made absolute', () => {
    expect(homePaths({ POLARON_HOME: '/x/../y' })).toEqual({
      home: '/y',
      data: '/y/data',
      logFile: '/y/hub.log',
      run: '/y/run',
      startLock: '/y/start.lock',
    });
  });

  it('compares the options of two starts', () => {
    const one = { data: '/d', slots: 2, agent: true, insecure: false, isolateResults: false, traceActors: false };
    const same = differingOptions(comparableOptions(one), JSON.parse(JSON.stringify(comparableOptions({ ...one }))));
    expect(same).toEqual([]);
    const tls = { certFile: '/c', keyFile: '/k' };
    expect(differingOptions(comparableOptions(one), comparableOptions({ ...one, slots: 3, port: 1, tls }))).toEqual([
      'certFile',
      'keyFile',
      'port',
      'slots',
    ]);
  });
});
