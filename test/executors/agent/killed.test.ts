/** An agent process that is killed with SIGKILL, over the embedded broker: what it leaves, and what the next life does with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBroker, type Broker } from '../../../bus/broker/broker.ts';
import { connectNats, type NatsBus } from '../../../bus/nats-bus.ts';
import { fixtureBundle, valueOf } from '../../support/agent-harness.ts';
import { FakeHub, taskId } from '../../support/fake-hub.ts';
import { noLog } from '../../support/log-list.ts';
import { packProgram } from '../../support/packed-program.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';

const agentProgram = await packProgram(
  fileURLToPath(new URL('../../fixtures/executors/agent-process.ts', import.meta.url)),
);
afterAll(() => agentProgram.remove());

let broker: Broker;
let bus: NatsBus;
let hub: FakeHub;
let dir: string;
let agents: ChildProcess[];
beforeEach(async () => {
  agents = [];
  dir = mkdtempSync(join(tmpdir(), 'polaron-killed-'));
  broker = await startBroker({ auth: 'none', log: noLog, clock: realClock });
  bus = await connectNats({ servers: [broker.url], name: 'hub', identity: 'hub.n1', log: noLog });
  hub = new FakeHub(bus);
  hub.useBundle(fixtureBundle);
});
afterEach(async () => {
  await Promise.all(agents.map(kill));
  await bus.close();
  await broker.close();
  rmSync(dir, { recursive: true, force: true });
});

function startAgentProcess(): ChildProcess {
  const child = spawn(process.execPath, [agentProgram.file, broker.url, dir], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  agents.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Zombies don't count: a container's init may not reap what is orphaned. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** An agent that ended a small and a large result, and was killed before the hub answered either. */
async function killedBeforeAnyAnswer(): Promise<void> {
  hub.judge = () => 'silent';
  const first = startAgentProcess();
  await hub.joined();
  await hub.assign({ 1: { electron: 'pid' }, 2: { electron: 'big', args: [200_000] } });
  await hub.when(() => new Set(hub.verdicts.map(({ task }) => task)).size === 2, 'both reports');
  await kill(first);
}

describe('an agent killed with SIGKILL', { timeout: 60_000 }, () => {
  it('reports after its restart the outcomes that nobody had answered, and runs nothing twice', async () => {
    await killedBeforeAnyAnswer();
    hub.judge = () => 'committed';
    startAgentProcess();
    expect((await hub.firstSync(2)).run.map(({ task, state }) => `${task} ${state}`).sort()).toEqual([
      `${taskId(1)} done`,
      `${taskId(2)} done`,
    ]);
    expect(valueOf(await hub.outcome(1))).toBeGreaterThan(1);
    expect(await hub.outcome(2)).toMatchObject({ status: 'completed', value: { size: expect.any(Number) } });
  });

  it('does not trust files that a power cut damaged: it fetches code again, and what had made a lost result runs again', async () => {
    await killedBeforeAnyAnswer();
    const damaged = [join(dir, 'values'), join(dir, 'node_modules', '.bundles')].flatMap((folder) =>
      readdirSync(folder).map((name) => join(folder, name)),
    );
    expect(damaged).toHaveLength(2);
    for (const file of damaged) writeFileSync(file, new Uint8Array(statSync(file).size));
    hub.judge = () => 'committed';
    startAgentProcess();
    expect((await hub.firstSync(2)).run.map(({ task, state }) => `${task} ${state}`)).toEqual([`${taskId(1)} done`]);
    await hub.assign({ 3: { electron: 'pid' } });
    expect(valueOf(await hub.outcome(3))).toBeGreaterThan(1);
    expect(readdirSync(join(dir, 'values'))).toEqual([]);
  });

  it('leaves no runner behind, not even one in a busy loop with a child of its own, nor a detached one', async () => {
    const first = startAgentProcess();
    await hub.joined();
    await hub.assign({ 1: { electron: 'pid' } });
    await hub.assign({ 2: { electron: 'orphan' } });
    await hub.outcome(1);
    await hub.when(() => hub.logs.length > 0, 'the pid of the child');
    const child = Number(/child (\d+)/.exec(JSON.stringify(hub.logs[0]))?.[1]);
    await hub.assign({ 4: { electron: 'startsDaemon', args: [60_000] } });
    await hub.when(() => /daemon \d+/.test(JSON.stringify(hub.logs)), 'the pid of the daemon');
    const daemon = Number(/daemon (\d+)/.exec(JSON.stringify(hub.logs))?.[1]);
    await hub.assign({ 3: { electron: 'forever' } });
    await hub.when(() => hub.syncs.at(-1)?.run.filter(({ state }) => state === 'running').length === 3, 'all to run');
    const runners = readdirSync(join(dir, 'runners', '1')).map(Number);
    expect(runners).toHaveLength(3);
    expect([...runners, child, daemon].map(alive)).toEqual([true, true, true, true, true]);
    await kill(first);
    await until(() => [...runners, child, daemon].every((pid) => !alive(pid)), 'all of them to be gone', 2_000);
  });

  it('has its runners killed by the next life when nobody else did (A5), and what they had started', async () => {
    const { killLeftRunners } = await import('../../../executors/process/runner-roster.ts');
    const { startTimeOf } = await import('../../../executors/process/process-table.ts');
    const { mkdirSync, writeFileSync } = await import('node:fs');
    const sleeper = (): ChildProcess =>
      spawn('/bin/sh', ['-c', 'sleep 600 & sleep 600'], { detached: true, stdio: 'ignore' });
    const [ours, reused] = [sleeper(), sleeper()];
    const folder = join(dir, 'runners', '3');
    const marked = (mark: string): ChildProcess =>
      spawn('/bin/sh', ['-c', 'sleep 600'], { detached: true, stdio: 'ignore', env: { POLARON_RUNNER: mark } });
    const [daemon, another] = [marked(`${folder}:2`), marked(`${join(dir, 'runners', '31')}:2`)];
    agents.push(ours, reused, daemon, another);
    mkdirSync(folder, { recursive: true });
    const started = startTimeOf(ours.pid ?? 0) ?? '';
    writeFileSync(join(folder, String(ours.pid)), started);
    // a pid that was given to another process since: the start time tells
    writeFileSync(join(folder, String(reused.pid)), `${started}9`);
    const gone = new Promise((resolve) => ours.once('exit', resolve));
    expect(killLeftRunners(join(dir, 'runners'), noLog)).toBe(1);
    await gone;
    await until(() => !alive(daemon.pid ?? 0), 'the daemon to be gone');
    expect([reused, another].map(({ pid }) => alive(pid ?? 0))).toEqual([true, true]);
    for (const { pid } of [reused, another]) process.kill(-(pid ?? 0), 'SIGKILL');
  });
});
