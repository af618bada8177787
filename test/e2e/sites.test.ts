/**
 * Several sites for real, as docs/guides/sites.md sets them up: each on a machine of its own, one behind a NATS leaf node of which hub, users and the other agents know nothing.
 * They are cut off and come back while lattices run, and every promise of docs/guarantees.md is checked on the account of it, as in chaos.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as dial } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fanned } from '../fault/chaos/electrons.ts';
import { makeNetwork, type Cut } from '../support/namespaces.ts';
import { currentServer } from '../support/nats-server.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { sites, startSites, type Site, type SitesWorld } from '../support/sites-world.ts';
import { until } from '../support/until.ts';
import { markProcesses, Witness } from '../support/witness.ts';
import { anywhere, singles, toured, tours } from './workflows/sites.ts';

const LEASES = { leaseMs: 2_500, heartbeatMs: 500 };
const BACK_MS = 90_000;

const part =
  makeNetwork === undefined || currentServer === undefined ? undefined : { makeNetwork, server: currentServer };

withRealPart(
  'network namespaces',
  part,
  'they need root, `ip` and a current nats-server',
  ({ makeNetwork, server }) => {
    describe('three sites and a hub', () => {
      const network = makeNetwork();
      const hub = new RealHub({
        env: { POLARON_LEASE_MS: String(LEASES.leaseMs), POLARON_HEARTBEAT_MS: String(LEASES.heartbeatMs) },
      });
      markProcesses(hub);
      let world: SitesWorld;
      let witness: Witness;

      beforeAll(async () => {
        world = await startSites(network, hub, server);
        witness = await Witness.open({ hub, leases: LEASES, url: world.url, ear: world.ear });
      }, 120_000);
      afterAll(async () => {
        await witness?.close();
        await world?.stop();
        await hub.close();
        network.close();
      }, 60_000);

      it('each electron runs at the site that it names', async () => {
        const way = ['cern', 'near', 'far', 'cern', 'far', 'near'];
        const { client, notes } = witness;
        const result = await client.getResult(await client.dispatch(toured)(notes.file, way, 1), { wait: true });
        expect(result).toMatchObject({ status: 'completed', value: { value: way.length - 1 } });
        const where: (string | undefined)[] = [];
        for await (const { agent } of result.electrons.list()) where.push(agent?.split('.')[0]);
        expect(where).toEqual(way);
      });

      it('the leaf node speaks and hears for its own site alone', async () => {
        const { url, ...login } = world.atCern;
        const [nats, outside] = [
          await dial({ servers: url, ...login }),
          await dial({ servers: world.ear.url, user: world.ear.user, pass: world.ear.pass }),
        ];
        const [heardAtCern, heardAtHub]: [string[], string[]] = [[], []];
        nats.subscribe('>', { callback: (_, { subject }) => void heardAtCern.push(subject) });
        outside.subscribe('polaron.>', { callback: (_, { subject }) => void heardAtHub.push(subject) });
        await Promise.all([nats.flush(), outside.flush()]);
        for (const subject of [
          'polaron.up.near.n1.forged',
          'polaron.down.near.n1.forged',
          'polaron.event.kim.x.forged',
        ])
          nats.publish(subject);
        for (const subject of ['polaron.down.near.n1.probed', 'polaron.api.kim.probed']) outside.publish(subject);
        // what is allowed comes after all of that, on the same way
        nats.publish('polaron.up.cern.c1.last');
        outside.publish('polaron.down.cern.c1.last');
        await until(() => heardAtHub.some((subject) => subject.endsWith('cern.c1.last')), 'the last of cern', 20_000);
        await until(() => heardAtCern.includes('polaron.down.cern.c1.last'), 'the last of the hub', 20_000);
        expect(heardAtHub.filter((subject) => subject.endsWith('forged'))).toEqual([]);
        expect(heardAtCern.filter((subject) => subject.endsWith('probed'))).toEqual([]);
        const ofOthers =
          /^(polaron\.(up|down|blob)\.(?!cern\.|all\.)|polaron\.(api|event)\.|_INBOX\.(?!a\.cern\.|hub\.))/;
        // only what it said itself
        expect(heardAtCern.filter((subject) => ofOthers.test(subject) && !subject.endsWith('forged'))).toEqual([]);
        await Promise.all([nats.close(), outside.close()]);
      });

      it('a site cut off for ten leases, one behind its leaf node for three, one for a moment: all promises are held', async () => {
        const { client, notes } = witness;
        const back: string[] = [];
        /** Resolves when the hub has its agents back. */
        const cut = async (site: Site, how: Cut, ms: number): Promise<void> => {
          const silent = world.agents[site].map(({ pid }) => witness.silent(pid));
          world.machines[site].cut(how);
          await sleep(ms);
          world.machines[site].heal();
          const healedAt = Date.now();
          // what is sent after a hole waits for TCP to try again, so it is silent for longer than it was cut off
          for (const { name } of world.agents[site])
            await until(async () => ((await world.heard(name)) ?? 0) > healedAt, `${name} is back`, BACK_MS);
          for (const { over } of silent) over();
          back.push(`${site} cut (${how}) for ${ms} ms, back after ${Date.now() - healedAt} ms`);
        };
        const far = world.agents.far[0]?.pid;
        const atFar = (id: string): boolean =>
          notes.running(() => true).some(({ agent, dispatch }) => agent === far && dispatch === id);
        // They outlast the lease of the site that is cut off: exclusive ones, which must be killed, and others, whose ends nobody hears.
        const exclusive = await client.dispatch(singles)(notes.file, 5, 7 * LEASES.leaseMs);
        await until(() => atFar(exclusive), 'an exclusive one runs at far', 30_000);
        const long = await client.dispatch(fanned)(notes.file, 6, (3 * LEASES.leaseMs) / 5);
        await until(() => atFar(long), 'one that is not runs at far', 30_000);
        witness.load(1, tours(['near', 'cern']));
        witness.load(2, tours(sites));
        witness.load(3, anywhere);
        const cutAt = Date.now();
        await Promise.all([
          cut('far', 'hole', 10 * LEASES.leaseMs),
          sleep(2 * LEASES.leaseMs).then(() => cut('cern', 'cable', 3 * LEASES.leaseMs)),
          sleep(8 * LEASES.leaseMs).then(() => cut('near', 'hole', 0.2 * LEASES.leaseMs)),
        ]);
        const results = await Promise.all([exclusive, long].map((id) => client.getResult(id, { wait: true })));
        const { account, verdict, alone, refused, line } = await witness.finish(() => world.stop());
        console.log(`three sites: ${back.join('; ')}`);
        console.log(`three sites: ${line}`);
        expect(verdict.violations).toEqual([]);
        expect(alone.overlaps).toEqual([]);
        expect(refused).toEqual([]);
        expect(results).toMatchObject([
          { status: 'completed', value: { value: 10 } },
          { status: 'completed', value: { value: 15 } },
        ]);
        // it ran on while nobody heard it, and what came of that was judged when it was back
        const unheard = account.executions.filter(
          ({ agent, ended }) =>
            agent === far &&
            ended?.how === 'end' &&
            ended.at > cutAt + LEASES.leaseMs &&
            ended.at < cutAt + 10 * LEASES.leaseMs,
        );
        expect(unheard.length).toBeGreaterThan(0);
        expect(witness.verdicts.refused('far.f1')).toBeGreaterThanOrEqual(unheard.length);
        expect(verdict.repeats.silence).toBeGreaterThanOrEqual(unheard.length);
      }, 240_000);
    });
  },
);
