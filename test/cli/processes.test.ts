import { spawn, execFile } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hubFilePath, readHubFile } from '../../bus/hub-file.ts';
import { beginHubEarly } from '../../cli/early-hub.ts';
import { endProcesses } from '../../host/end-processes.ts';
import { livingInstances } from '../../host/instances.ts';
import { killMarked, listProcesses, processInfo } from '../../executors/process/process-table.ts';
import { packProgram } from '../support/packed-program.ts';

const main = await packProgram(fileURLToPath(new URL('support/fake-main.ts', import.meta.url)));
afterAll(() => main.remove());
const realMain = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url));

// Each of them starts several Node processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

interface Finished {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

let home: string;
let children: ChildProcess[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'polaron-cli-'));
  children = [];
});

afterEach(async () => {
  await endProcesses(livingInstances(home), { graceMs: 0 });
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  // what the fake agent has started when it was killed itself: nobody's child any more
  killMarked('POLARON_HOME', (value) => value === home);
  rmSync(home, { recursive: true, force: true });
});

const launch = (args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess => launchOf(main.file, args, env);

function launchOf(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, POLARON_HOME: home, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function finished(child: ChildProcess): Promise<Finished> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  child.stderr?.on('data', (chunk) => (err += String(chunk)));
  await once(child, 'close');
  return { exit: child.exitCode, out, err };
}

const polaron = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  finished(launch(args, env));

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('it ended without a line');
}

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
  } catch {
    return ''; // gone, or another user's
  }
}

/** Processes with this home that lead a session of their own. */
const begunHere = (): readonly number[] =>
  listProcesses()
    .filter(({ pid, session }) => pid === session && environmentOf(pid).includes(`\0POLARON_HOME=${home}\0`))
    .map(({ pid }) => pid);

const hubPid = (): number => readHubFile(home)?.pid ?? 0;

describe('polaron start --detach', () => {
  it('returns when the hub is ready, says where it is, and holds none of our stdio', async () => {
    // `close` of the child's streams, which `polaron` waits for, would not come if the hub held them.
    const { exit, out, err } = await polaron(['start', '--detach']);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toBe(
      `polaron ready: bus nats://127.0.0.1:4222, data ${join(home, 'data')}, log ${join(home, 'hub.log')}\n`,
    );
    expect(processInfo(hubPid())).toMatchObject({ group: hubPid() });
    expect(statSync(join(home, 'hub.log')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(home, 'hub.log'), 'utf8')).toContain('info  hub: the fake hub starts');
  });

  it('on a running hub says so and exits 0 with the same options, 2 with others', async () => {
    await polaron(['start', '--detach', '--slots', '3']);
    const pid = hubPid();
    const same = await polaron(['start', '--detach', '--slots', '3', '--json']);
    expect(same.exit).toBe(0);
    expect(JSON.parse(same.out)).toEqual({
      bus: 'nats://127.0.0.1:4222',
      data: join(home, 'data'),
      node: 'n1',
      pid,
      log: join(home, 'hub.log'),
      existing: true,
    });
    const foreground = await polaron(['start', '--slots', '3']);
    expect([foreground.exit, foreground.out.split(':')[0]]).toEqual([0, `polaron already running (pid ${pid})`]);
    for (const detach of [['--detach'], []]) {
      const other = await polaron(['start', ...detach, '--slots', '4', '--no-agent']);
      expect([other.exit, other.out]).toEqual([2, '']);
      expect(other.err).toMatch(/^polaron: ALREADY_RUNNING: a hub \(pid \d+\) .* agent true, slots 3\. Stop it first/m);
    }
    expect(hubPid()).toBe(pid);
  });

  it('two at once make one hub', async () => {
    const both = await Promise.all([
      polaron(['start', '--detach'], { FAKE_READY_MS: '400' }),
      polaron(['start', '--detach'], { FAKE_READY_MS: '400' }),
    ]);
    expect(both.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(new Set(both.map(({ out }) => /already running|ready/.exec(out)?.[0]))).toEqual(
      new Set(['already running', 'ready']),
    );
    expect(livingInstances(home).filter(({ kind }) => kind === 'hub')).toHaveLength(1);
  });

  it('tells a failed start with the last lines of the log, and leaves nothing running', async () => {
    const { exit, out, err } = await polaron(['start', '--detach'], { FAKE_HUB: 'dies' });
    expect([exit, out]).toEqual([1, '']);
    expect(err).toContain('info  hub: the fake hub starts');
    expect(err).toMatch(
      /^polaron: START_FAILED: the hub did not become ready: it died by SIGKILL\. Its log is .*hub\.log\.$/m,
    );
    expect(livingInstances(home)).toEqual([]);
  });

  it('says what to look at when the hub died as a damaged store lets it die', async () => {
    const { exit, err } = await polaron(['start', '--detach'], { FAKE_HUB: 'aborts' });
    expect(exit).toBe(1);
    expect(err).toMatch(
      /^polaron: START_FAILED: .* it died by SIGABRT\. A damaged store .* `polaron check` .* Its log is/m,
    );
  });

  it('passes on why the hub refused', async () => {
    const { exit, out } = await polaron(['start', '--detach', '--json'], { FAKE_HUB: 'in-use' });
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      error: {
        code: 'START_FAILED',
        message: expect.stringContaining('the hub did not become ready: DATA_IN_USE: data folder'),
      },
    });
  });

  it('is not kept by what a killed hub and a killed start left behind', async () => {
    await polaron(['start', '--detach']);
    const killed = hubPid();
    process.kill(killed, 'SIGKILL');
    writeFileSync(join(home, 'start.lock'), JSON.stringify({ pid: killed, startTime: 'another' }));
    expect(existsSync(hubFilePath(home))).toBe(true);
    const { exit, out } = await polaron(['start', '--detach', '--slots', '7']);
    expect([exit, out.startsWith('polaron ready:')]).toEqual([0, true]);
    expect(hubPid()).not.toBe(killed);
  });
});

describe('the hub that is begun before the options are read', () => {
  const env = (): NodeJS.ProcessEnv => ({ ...process.env, POLARON_HOME: home });
  const waits = { command: process.execPath, args: ['-e', "require('node:fs').readSync(3, Buffer.alloc(1))", '--'] };

  it('is none where a hub may run already, and where there is no home folder yet', () => {
    writeFileSync(hubFilePath(home), '');
    expect(beginHubEarly(waits, env())).toBeUndefined();
    rmSync(home, { recursive: true });
    expect(beginHubEarly(waits, env())).toBeUndefined();
    expect(existsSync(home)).toBe(false);
  });

  it('becomes the hub that the options ask for, and ends without a word when they are wrong', async () => {
    const real = (args: readonly string[]): Promise<Finished> => finished(launchOf(realMain, args));
    const wrong = await real(['start', '--detach', '--slots', 'none']);
    expect([wrong.exit, wrong.out]).toEqual([2, '']);
    expect(wrong.err).toMatch(/^polaron: USAGE: .*--slots/);
    await until(() => (begunHere().length === 0 ? true : undefined));
    expect(readdirSync(home)).toEqual(['hub.log']);
    expect(readFileSync(join(home, 'hub.log'), 'utf8')).toBe('');
    const right = await real(['start', '--detach', '--no-agent', '--json']);
    expect([right.exit, right.err]).toEqual([0, '']);
    expect(JSON.parse(right.out)).toMatchObject({ pid: hubPid(), existing: false });
  });
});

describe('polaron start', () => {
  it('prints one ready line or document, and stops cleanly on SIGTERM and SIGINT', async () => {
    for (const [name, args] of [
      ['SIGTERM', []],
      ['SIGINT', ['--json']],
    ] as const) {
      const child = launch(['start', '--no-agent', ...args]);
      const line = await firstLine(child);
      if (args.length === 0) expect(line).toBe(`polaron ready: bus nats://127.0.0.1:4222, data ${join(home, 'data')}`);
      else expect(JSON.parse(line)).toMatchObject({ bus: 'nats://127.0.0.1:4222', pid: child.pid, existing: false });
      child.kill(name);
      await once(child, 'exit');
      expect([child.exitCode, child.signalCode]).toEqual([0, null]);
      expect(existsSync(hubFilePath(home))).toBe(false);
      expect(readdirSync(join(home, 'run'))).toEqual([]);
      expect(existsSync(join(home, 'start.lock'))).toBe(false);
    }
  });

  it("tells the host's error and exits 1", async () => {
    const { exit, err } = await polaron(['start'], { FAKE_HUB: 'in-use' });
    expect(exit).toBe(1);
    expect(err).toContain('polaron: DATA_IN_USE: data folder');
    expect(livingInstances(home)).toEqual([]);
  });

  it('says that a home folder which is a file cannot be used', async () => {
    writeFileSync(join(home, 'file'), '');
    const { exit, err } = await polaron(['start'], { POLARON_HOME: join(home, 'file') });
    expect(exit).toBe(1);
    expect(err).toMatch(/^polaron: DATA_NOT_WRITABLE: folder .* Mend its permissions/);
  });
});

describe('polaron stop', () => {
  it('ends the hub, its local agent, and what that started', async () => {
    await polaron(['start', '--detach']);
    const hub = hubPid();
    const agent = livingInstances(home).find(({ kind }) => kind === 'local-agent');
    // The agent's own child, in a group of its own, is recorded nowhere.
    const child = await until(() => listProcesses().find(({ parent }) => parent === agent?.pid));
    const { exit, out } = await polaron(['stop', '--json']);
    expect(processInfo(child.pid)).toBeUndefined();
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ stopped: [{ kind: 'hub', pid: hub, how: 'ended' }] });
    expect([processInfo(hub), processInfo(agent?.pid ?? 0)]).toEqual([undefined, undefined]);
    expect(readdirSync(join(home, 'run'))).toEqual([]);
  });

  it('ends what a killed hub had started', async () => {
    await polaron(['start', '--detach']);
    const agent = livingInstances(home).find(({ kind }) => kind === 'local-agent');
    process.kill(hubPid(), 'SIGKILL');
    const { exit, out } = await polaron(['stop']);
    expect([exit, out]).toEqual([0, `stopped local-agent (pid ${agent?.pid})\n`]);
    expect(processInfo(agent?.pid ?? 0)).toBeUndefined();
    expect(existsSync(hubFilePath(home))).toBe(false);
  });

  it('leaves an agent that was started by hand alone', async () => {
    const agent = launch(['agent', '--bus', 'nats://b:4222', '--name', 'a']);
    await firstLine(agent);
    expect((await polaron(['stop'])).out).toBe('nothing was running\n');
    expect(agent.exitCode).toBeNull();
    agent.kill('SIGTERM');
    await once(agent, 'exit');
    expect(agent.exitCode).toBe(0);
  });
});

describe('polaron agent', () => {
  it('says who joined where, without the password', async () => {
    const argv = [
      'agent',
      '--bus',
      'nats://a:secret@b:4222',
      '--name',
      'Box 1',
      '--site',
      'cern',
      '--slots',
      '2',
      '--json',
    ];
    const agent = launch(argv);
    expect(JSON.parse(await firstLine(agent))).toEqual({
      name: 'box-1',
      site: 'cern',
      bus: 'nats://b:4222',
      slots: 2,
      pid: agent.pid,
    });
  });

  it('exits 1 with the reason when it is refused or superseded', async () => {
    const refused = await polaron(['agent', '--bus', 'b', '--name', 'a'], { FAKE_HUB: 'refused' });
    expect([refused.exit, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain('polaron: AGENT_NAME_TAKEN: taken. Choose another --name.');
    const superseded = await polaron(['agent', '--bus', 'b', '--name', 'a'], { FAKE_HUB: 'superseded' });
    expect(superseded.exit).toBe(1);
    expect(superseded.err).toContain('polaron: SUPERSEDED:');
  });
});

describe('the process', () => {
  it('ends quietly when the reader of its output goes away', async () => {
    const child = launch(['ls']);
    await firstLine(child);
    child.stdout?.destroy();
    let err = '';
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    await once(child, 'close');
    expect([child.exitCode, err]).toEqual([0, '']);
  });

  it('writes all of a long answer into a pipe before it ends', async () => {
    const { out } = await polaron(['ls', '--json']);
    expect(JSON.parse(out)).toHaveProperty('dispatches.length', 20_000);
  });

  it('says in one line that Node is too old, and exits 2', async () => {
    const old = `data:text/javascript,${encodeURIComponent(
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } })",
    )}`;
    const run = (args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> =>
      new Promise((resolve) => {
        execFile(process.execPath, ['--import', old, realMain, ...args], (error, out, err) =>
          resolve({ code: error?.code, out, err }),
        );
      });
    const help = 'Install Node 20.19 or newer.';
    expect(await run(['status'])).toEqual({
      code: 2,
      out: '',
      err: `polaron: NODE_TOO_OLD: Node 18.20.8 is older than polaron supports. ${help}\n`,
    });
    const json = await run(['status', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'NODE_TOO_OLD', help } });
    const engines: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(engines).toHaveProperty('engines.node', '>=20.19.0');
  });
});
