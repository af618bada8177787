/** The executor `ssh` as a user has it: the built command as hub and agent, the SDK, a real sshd as the host. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch, getValue } from 'polaron';
import { credentialsFor } from '../../bus/credentials.ts';
import { agentIdentity } from '../../bus/identity.ts';
import { startTimeOf } from '../../executors/process/process-table.ts';
import { loadIdentity } from '../../host/data-folder.ts';
import { withRealPart } from '../support/real-part.ts';
import { RealHub, type Running } from '../support/real-hub.ts';
import { sshdProgram, startSshd, type Sshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';
import { slowly, squares } from './workflows/ssh.ts';

const WAIT_MS = 60_000;

withRealPart('an SSH host of an agent', sshdProgram, 'no sshd is installed', (program) => {
  const hub = new RealHub({ start: ['--no-agent'] });
  let sshd: Sshd;
  beforeAll(async () => {
    await hub.start();
    sshd = await startSshd(program);
    mkdirSync(join(sshd.dir, 'cache'));
  }, WAIT_MS);
  afterAll(async () => {
    await hub.close();
    await sshd.close();
  });

  const there = (): Readonly<Record<string, unknown>> & { readonly type: 'ssh' } => {
    const { port, user, identityFile, knownHosts, dir } = sshd;
    return { type: 'ssh', host: '127.0.0.1', port, user, identityFile, knownHosts, folder: join(dir, 'cache') };
  };

  async function startAgent(): Promise<Running> {
    const { user, password } = credentialsFor(
      loadIdentity(join(hub.home, 'data')).secret,
      agentIdentity('lab', 'gate'),
    );
    const url = Object.assign(new URL(hub.file().bus), { username: user, password });
    const executors = ['--executor', 'process', '--executor', 'ssh', '--slots', '4'];
    const agent = hub.launchPolaron(['agent', '--bus', url.href, '--name', 'gate', '--site', 'lab', ...executors], {
      POLARON_HOME: join(hub.home, 'agent-gate'),
    });
    await until(() => agent.out().includes('ready') || agent.child.exitCode !== null, 'the agent joins', WAIT_MS);
    return agent;
  }

  it(
    'runs what is sent there beside what runs on the agent, and what an agent was killed in the midst of once more, alone',
    async () => {
      const first = await startAgent();
      const executors = { squared: there(), total: there() };
      expect(await getValue(await dispatch(squares, { executors })(20))).toBe(2_470);
      const file = join(hub.home, 'slow');
      const id = await dispatch(slowly, { executors: { slow: there() } })(file);
      const pids = (): number[] => {
        try {
          return readFileSync(file, 'utf8').trim().split('\n').map(Number);
        } catch {
          return [];
        }
      };
      await until(() => pids().length > 0, 'it runs there', WAIT_MS);
      first.child.kill('SIGKILL');
      await first.finished;
      const [before = 0] = pids();
      expect(startTimeOf(before)).toBeDefined();
      const second = await startAgent();
      expect(await getValue(id)).toBe('done');
      expect(startTimeOf(before)).toBeUndefined();
      expect(pids()).toHaveLength(2);
      second.child.kill('SIGTERM');
      expect((await second.finished).exit).toBe(0);
    },
    WAIT_MS,
  );
});
