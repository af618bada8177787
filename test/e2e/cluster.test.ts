/** Hub and agents on a cluster of three NATS nodes, a different one each: the hub's node is killed under load, then an agent's. Nothing is lost, and nothing runs again for it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNatsCluster, type NatsCluster } from '../support/nats-cluster.ts';
import { containerImage } from '../support/nats-container.ts';
import { isolation, RealHub, type Running } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { markProcesses, Witness } from '../support/witness.ts';
import { anywhere, tours } from './workflows/sites.ts';

/** As without any setting. */
const LEASES = { leaseMs: 15_000, heartbeatMs: 2_000 };
/** Of each agent, after a node was killed, before the next one is. */
const EXECUTIONS = 15;
const MOVED_MS = 60_000;

withRealPart('a container engine', containerImage, 'DOCKER_HOST is not set', (image) => {
  describe('a cluster of three nodes', () => {
    const hub = new RealHub();
    markProcesses(hub);
    const agents: Running[] = [];
    let cluster: NatsCluster;
    let witness: Witness;

    const startAgent = async (name: string, bus: string): Promise<void> => {
      const home = join(hub.home, `home-${name}`);
      mkdirSync(home);
      const at = [
        'agent',
        '--bus',
        bus,
        '--site',
        name,
        '--name',
        name,
        '--slots',
        '2',
        '--capability',
        `site=${name}`,
      ];
      const agent = hub.launchPolaron(at, { POLARON_HOME: home });
      agents.push(agent);
      await until(() => agent.out().includes('ready'), `${name} joins: ${agent.err()}`, 60_000);
    };
    const stop = async (): Promise<void> => {
      for (const { child } of agents) child.kill('SIGTERM');
      await Promise.all(agents.map(({ finished }) => finished));
      await hub.stop();
    };

    beforeAll(async () => {
      cluster = await startNatsCluster(image, 3);
      const [ofHub = '', ofFirst = '', ofSecond = ''] = cluster.urls;
      const started = await hub.polaron(['start', '--detach', '--no-agent', '--bus', ofHub, ...isolation]);
      expect(started).toMatchObject({ exit: 0, err: '' });
      await Promise.all([startAgent('first', ofFirst), startAgent('second', ofSecond)]);
      witness = await Witness.open({ hub, leases: LEASES, url: ofSecond, ear: { url: ofSecond } });
    }, 120_000);
    afterAll(async () => {
      await witness?.close();
      await hub.close();
      await cluster?.stop();
    }, 60_000);

    /** Resolves when both agents have begun so many electrons more, and are known to be heard: those of each rest on others. */
    const goesOn = async (what: string): Promise<void> => {
      const since = Date.now();
      await until(
        () => {
          witness.notes.read();
          return agents.every(
            ({ pid }) =>
              witness.notes.executions.filter(({ agent, began }) => agent === pid && began > since).length >=
              EXECUTIONS,
          );
        },
        what,
        MOVED_MS,
      );
    };

    it('two of its nodes are killed while lattices run: all promises are held', async () => {
      for (const seed of [1, 2]) witness.load(seed, tours(['first', 'second']));
      witness.load(3, anywhere);
      await goesOn('both agents work');
      for (const [node, whose] of [
        [0, 'the hub'],
        [1, 'the first agent'],
      ] as const) {
        const at = Date.now();
        const running = agents.reduce((sum, { pid }) => sum + witness.running(pid), 0);
        expect(running).toBeGreaterThan(0);
        await cluster.kill(node);
        await goesOn(`both agents work without the node of ${whose}`);
        witness.blows.push({ role: 'broker', how: 'kill', pid: 0, at, until: Date.now(), running });
      }
      const { verdict, alone, refused, line, account } = await witness.finish(stop);
      console.log(
        `cluster: 2 of 3 nodes killed, ${account.blows.map(({ running }) => running).join(' and ')} electrons ran: ${line}`,
      );
      expect(verdict.violations).toEqual([]);
      expect(alone.overlaps).toEqual([]);
      expect(refused).toEqual([]);
      expect(Object.values(verdict.repeats).every((count) => count === 0)).toBe(true);
      const completed = [...account.stored.electrons.values()].filter(({ status }) => status === 'completed').length;
      expect(account.executions).toHaveLength(completed);
      expect(readFileSync(join(hub.home, 'hub.log'), 'utf8')).not.toMatch(/agent lost/);
    }, 240_000);
  });
});
