/** An agent killed between sbatch and its answer, on a real Slurm. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBroker, type Broker } from '../../../bus/broker/broker.ts';
import { connectNats, type NatsBus } from '../../../bus/nats-bus.ts';
import { fixtureBundle, valueOf } from '../../support/agent-harness.ts';
import { FakeHub, taskId, type TaskSpec } from '../../support/fake-hub.ts';
import { noLog } from '../../support/log-list.ts';
import { packProgram } from '../../support/packed-program.ts';
import { realClock } from '../../support/real-clock.ts';
import { withRealPart } from '../../support/real-part.ts';
import { slurmIsHere, startSlurm, type Slurm } from '../../support/slurm.ts';
import { until } from '../../support/until.ts';

const agentProgram = await packProgram(
  fileURLToPath(new URL('../../fixtures/executors/agent-process.ts', import.meta.url)),
);
afterAll(() => agentProgram.remove());
const PATIENCE_MS = 60_000;

withRealPart('Slurm', slurmIsHere, 'Debian has it in slurm-wlm and munge', () => {
  describe('an agent killed between sbatch and its answer', { timeout: 2 * PATIENCE_MS }, () => {
    let slurm: Slurm;
    let broker: Broker;
    let bus: NatsBus;
    let hub: FakeHub;
    let dir: string;
    let agents: ChildProcess[];
    beforeEach(async () => {
      agents = [];
      dir = mkdtempSync(join(tmpdir(), 'polaron-slurm-killed-'));
      slurm = await startSlurm();
      broker = await startBroker({ auth: 'none', log: noLog, clock: realClock });
      bus = await connectNats({ servers: [broker.url], name: 'hub', identity: 'hub.n1', log: noLog });
      hub = new FakeHub(bus);
      hub.useBundle(fixtureBundle);
    }, PATIENCE_MS);
    afterEach(async () => {
      await Promise.all(agents.map(kill));
      await bus.close();
      await broker.close();
      await slurm.close();
      rmSync(dir, { recursive: true, force: true });
    }, PATIENCE_MS);

    function startAgentProcess(path = ''): ChildProcess {
      const child = spawn(process.execPath, [agentProgram.file, broker.url, join(dir, 'agent'), 'slurm'], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          ...process.env,
          SLURM_CONF: slurm.conf,
          PATH: `${path}:${process.env['PATH']}`,
        },
      });
      agents.push(child);
      return child;
    }

    /** An sbatch that hands the job over, and whose answer never comes. */
    function silentSbatch(): { readonly path: string; readonly pidFile: string } {
      const path = join(dir, 'bin');
      mkdirSync(path);
      const pidFile = join(dir, 'sbatch.pid');
      const rest = `"$@" >&2 && echo $$ >'${pidFile}.new' && mv '${pidFile}.new' '${pidFile}' && exec sleep 600`;
      writeFileSync(join(path, 'sbatch'), `#!/bin/sh\nPATH=\${PATH#*:}\nsbatch ${rest}\n`, { mode: 0o755 });
      return { path, pidFile };
    }

    const submitted = async (): Promise<number> =>
      (await slurm.command('squeue', '--noheader', '--array', '--states=all')).split('\n').filter((line) => line !== '')
        .length;

    it.each([
      { what: 'a job', count: 1 },
      { what: 'each job of an array', count: 3 },
    ])('finds $what again by its name when it restarts, and submits nothing twice', async ({ count }) => {
      const { path, pidFile } = silentSbatch();
      const first = startAgentProcess(path);
      await hub.joined();
      const task: TaskSpec = { electron: 'sleep', args: [20_000, 'slept'], executor: 'slurm' };
      await hub.assign(Object.fromEntries(Array.from({ length: count }, (_, i) => [i + 1, task])));
      await until(() => existsSync(pidFile), 'the job to be handed over', PATIENCE_MS);
      await kill(first);
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
      expect(await submitted()).toBe(count);
      startAgentProcess();
      const ids = Array.from({ length: count }, (_, i) => i + 1);
      expect((await hub.firstSync(2)).run.map(({ task: of }) => of).sort()).toEqual(ids.map(taskId));
      for (const id of ids) expect(valueOf(await hub.outcome(id, PATIENCE_MS))).toBe('slept');
      expect(await submitted()).toBe(count);
    });
  });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
