/** Connections that break, agents that die, daemons that are left alone: what runs on the host goes on, once, or is ended. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTimeOf } from '../../../executors/process/process-table.ts';
import { fixtureBundle } from '../../support/agent-harness.ts';
import { inlineValue } from '../../support/pool-bench.ts';
import { withRealPart } from '../../support/real-part.ts';
import { openSshBench, type SshBench } from '../../support/ssh-bench.ts';
import { sshdProgram } from '../../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

const counting = `${fixtureBundle}
import { appendFileSync } from 'node:fs';
electron('counted', async (file, n, ms) => {
  appendFileSync(file, n + '\\n');
  await sleep(ms);
  console.log('line ' + n);
  return n;
});`;

withRealPart('an SSH host whose connection breaks', sshdProgram, 'no sshd is installed', (program) => {
  describe('an SSH host whose connection breaks', { timeout: 90_000 }, () => {
    let ssh: SshBench;
    let proxy: TcpProxy;
    beforeEach(async () => {
      ssh = await openSshBench(program);
      proxy = await startTcpProxy(ssh.sshd.port);
      ssh.sshd.know(proxy.port);
    });
    afterEach(async () => {
      await ssh.close();
      await proxy.close();
    });

    const through = (more = {}): Readonly<Record<string, unknown>> => ({ port: proxy.port, ...more });

    it('runs each electron once, whenever its ssh is killed or its wire is cut', async () => {
      const code = ssh.bench.code('counting', counting);
      const file = join(ssh.bench.dir, 'ran');
      const args = (n: number): readonly unknown[] => [file, n, 5 + (n % 40)];
      const all = Array.from({ length: 120 }, (_, n) => ssh.start('counted', args(n), through(), { code }));
      const seen = { breaks: 0, ended: 0, over: false };
      for (const each of all) void each.ended.then(() => seen.ended++);
      const breaking = (async () => {
        while (!seen.over) {
          // some get through between two breaks
          const enough = seen.ended + 12;
          await until(() => seen.over || seen.ended >= enough, 'it goes on', 30_000);
          const [pid] = ssh.executor.connectionPids();
          if (++seen.breaks % 2 === 0) proxy.cut();
          else if (pid !== undefined) process.kill(pid, 'SIGKILL');
        }
      })();
      const outcomes = await Promise.all(all.map(({ ended }) => ended));
      seen.over = true;
      await breaking;
      expect(outcomes.map(({ outcome }) => inlineValue(outcome))).toEqual(all.map((_, n) => n));
      expect(outcomes.map(({ outcome }) => outcome.logs?.stdout)).toEqual(all.map((_, n) => `line ${n}\n`));
      const ran = readFileSync(file, 'utf8').trim().split('\n').map(Number);
      expect(ran.toSorted((a, b) => a - b)).toEqual(all.map((_, n) => n));
      expect(seen.breaks).toBeGreaterThan(2);
      expect(ssh.daemons()).toHaveLength(1);
    });

    it('has a large result come whole over connections that break', async () => {
      const started = ssh.start('big', [60_000_000], through());
      await until(() => started.handle.runningSince() > 0, 'it runs');
      for (let i = 0; i < 5; i++) {
        await until(() => ssh.executor.connectionPids().length > 0, 'it is connected', 20_000);
        await new Promise((resolve) => setTimeout(resolve, 40));
        proxy.cut();
      }
      const { outcome, file = '' } = await started.ended;
      expect(outcome.status).toBe('completed');
      expect(readFileSync(file).length).toBe(outcome.status === 'completed' ? outcome.value.size : 0);
    });

    it('is cancelled for real when it can be reached again', async () => {
      const started = ssh.start('startsDaemon', [60_000], through());
      await until(() => started.lines.some((line) => line.includes('daemon')), 'it has started one');
      const pid = Number(/daemon (\d+)/.exec(started.lines.join(''))?.[1]);
      proxy.refuses = true;
      proxy.cut();
      await until(() => ssh.logs.entries.some(({ message }) => message.includes('is broken')), 'it is noticed');
      started.handle.cancel('asked for');
      expect(startTimeOf(pid)).toBeDefined();
      proxy.refuses = false;
      expect((await started.ended).outcome.status).toBe('cancelled');
      await until(() => startTimeOf(pid) === undefined, 'it is gone');
    });

    it('is given up after its lease, when nothing runs there any more', async () => {
      const started = ssh.start('startsDaemon', [60_000], through({ leaseMs: 2_000 }));
      await until(() => started.lines.some((line) => line.includes('daemon')), 'it has started one');
      const pid = Number(/daemon (\d+)/.exec(started.lines.join(''))?.[1]);
      proxy.refuses = true;
      // the host isn't told: the wire is dead, and only silence tells the daemon
      proxy.freeze();
      const [connection = 0] = ssh.executor.connectionPids();
      process.kill(connection, 'SIGKILL');
      const { outcome } = await started.ended;
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'SSH_UNREACHABLE' } });
      expect([startTimeOf(pid), ssh.daemons()]).toEqual([undefined, []]);
      expect(existsSync(join(ssh.cache, 'run')) && readdirSync(join(ssh.cache, 'run'))).toEqual([]);
    });

    it('tells what ran there as lost when the daemon was killed, and starts anew', async () => {
      const started = ssh.start('sleep', [60_000, 0], through());
      await until(() => started.handle.runningSince() > 0 && ssh.daemons().length > 0, 'it runs');
      const [daemon = 0] = ssh.daemons();
      process.kill(daemon, 'SIGKILL');
      expect((await started.ended).outcome).toMatchObject({ status: 'failed', error: { code: 'SSH_LOST' } });
      expect(inlineValue((await ssh.start('add', [1, 2], through()).ended).outcome)).toBe(3);
    });

    it('has what an earlier life of its agent left there killed before a restarted one works there', async () => {
      const started = ssh.start('startsDaemon', [60_000], through());
      await until(() => started.lines.some((line) => line.includes('daemon')), 'it has started one');
      const pid = Number(/daemon (\d+)/.exec(started.lines.join(''))?.[1]);
      const earlier = ssh.daemons();
      // the agent is gone with its ssh, and nobody says goodbye
      proxy.refuses = true;
      proxy.cut();
      const later = ssh.renew();
      proxy.refuses = false;
      // it goes there by itself, and leaves nothing
      await later.setUp();
      await until(() => startTimeOf(pid) === undefined && ssh.daemons().length === 0, 'all is gone');
      // the earlier life is still in this process, and would dial again
      proxy.refuses = true;
      proxy.cut();
      const seen = ssh.start('add', [1, 2], { port: ssh.sshd.port });
      expect(inlineValue((await seen.ended).outcome)).toBe(3);
      await until(() => ssh.daemons().length === 1, 'only the new one is left', 20_000);
      expect(ssh.daemons()).not.toEqual(earlier);
    });
  });
});
