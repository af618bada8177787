/** An agent with containers that is killed with SIGKILL: nothing of it runs on, and its next life works. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { startBroker } from '../../../bus/broker/broker.ts';
import { connectNats } from '../../../bus/nats-bus.ts';
import { fixtureBundle, valueOf } from '../../support/agent-harness.ts';
import { containersOf, processesWith, testEngine, volumesOf } from '../../support/container-bench.ts';
import { withContainerEngine } from '../../support/container-engine.ts';
import { FakeHub } from '../../support/fake-hub.ts';
import { noLog } from '../../support/log-list.ts';
import { packProgram } from '../../support/packed-program.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';

const agentProgram = await packProgram(
  fileURLToPath(new URL('../../fixtures/executors/agent-process.ts', import.meta.url)),
);
afterAll(() => agentProgram.remove());

withContainerEngine('an agent with containers that is killed', ({ image }) => {
  it('takes its containers with it, and finds its volume when it comes back', { timeout: 90_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'polaron-killed-'));
    const broker = await startBroker({ auth: 'none', log: noLog, clock: realClock });
    const bus = await connectNats({ servers: [broker.url], name: 'hub', identity: 'hub.n1', log: noLog });
    const hub = new FakeHub(bus);
    hub.useBundle(fixtureBundle);
    const agents: ChildProcess[] = [];
    const begin = (): ChildProcess => {
      const child = spawn(process.execPath, [agentProgram.file, broker.url, dir, 'container'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      agents.push(child);
      return child;
    };
    const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await gone;
    };
    const engine = testEngine();
    try {
      const MARK = `polaron-test-${process.pid}-killed`;
      const executorOptions = { image, network: 'none', env: { MARK } };
      const first = begin();
      await hub.joined();
      await hub.assign({ 1: { electron: 'forever', executor: 'container', executorOptions } });
      await until(() => processesWith(MARK).length > 0, 'it runs', 30_000);
      const owner = readFileSync(join(dir, 'id'), 'utf8').trim();
      const volumes = await volumesOf(engine, owner);
      await end(first, 'SIGKILL');
      await until(() => processesWith(MARK).length === 0, 'what it ran to be gone', 10_000);
      await until(async () => (await containersOf(engine, owner)).length === 0, 'its containers to be gone', 20_000);
      begin();
      await hub.firstSync(2);
      await hub.assign({ 2: { electron: 'add', args: [1, 2], executor: 'container', executorOptions } });
      expect(valueOf(await hub.outcome(2, 30_000))).toBe(3);
      expect(await volumesOf(engine, owner)).toEqual(volumes);
      expect(volumes).toHaveLength(1);
      await Promise.all(agents.map((child) => end(child, 'SIGKILL')));
      await until(async () => (await containersOf(engine, owner)).length === 0, 'its containers to be gone', 20_000);
      for (const volume of volumes) await engine.ask('DELETE', `/volumes/${volume}`);
    } finally {
      await Promise.all(agents.map((child) => end(child, 'SIGKILL')));
      await bus.close();
      await broker.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
