/**
 * Several sites for real, as docs/guides/sites.md sets them up: each on a machine of its own, one behind a NATS leaf node of which hub, users and the other agents know nothing.
 * They are cut off and come back while lattices run, and every promise of docs/guarantees.md is checked on the account of it, as in chaos.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as dial } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Client } from 'polaron';
import type { Account, Blow } from '../fault/chaos/account.ts';
import { check } from '../fault/chaos/check.ts';
import { listen, type Ear } from '../fault/chaos/ear.ts';
import { fanned } from '../fault/chaos/electrons.ts';
import { leftovers, MARK } from '../fault/chaos/leftovers.ts';
import { Load } from '../fault/chaos/load.ts';
import { Notes } from '../fault/chaos/notes.ts';
import { randomFrom } from '../fault/chaos/random.ts';
import { readStore } from '../fault/chaos/read-store.ts';
import { checkAlone } from '../support/alone-check.ts';
import { countsLine } from '../support/counts-line.ts';
import { makeNetwork, type Cut } from '../support/namespaces.ts';
import { currentServer } from '../support/nats-server.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { sites, startSites, type Site, type SitesWorld } from '../support/sites-world.ts';
import { until } from '../support/until.ts';
import { hearVerdicts, type VerdictEar } from '../support/verdict-ear.ts';
import { anywhere, toured, tours } from './workflows/sites.ts';

const LEASES = { leaseMs: 2_500, heartbeatMs: 500 };
/** How long what was accepted may take once all is back. */
const QUIET_MS = 90_000;
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
      hub.env[MARK] = hub.home;
      const notes = new Notes(join(mkdtempSync(join(hub.home, 'noted-')), 'notes'));
      let world: SitesWorld;
      let client: Client;
      let ear: Ear;
      let verdicts: VerdictEar;

      beforeAll(async () => {
        world = await startSites(network, hub, server);
        const { url, ...login } = world.ear;
        ear = await listen(url, login);
        verdicts = await hearVerdicts(url, login);
        client = await connect({ bus: world.url });
      }, 120_000);
      afterAll(async () => {
        await client?.close();
        await world?.stop();
        await hub.close();
        network.close();
      }, 60_000);

      it('each electron runs at the site that it names', async () => {
        const way = ['cern', 'near', 'far', 'cern', 'far', 'near'];
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
        const blows: Blow[] = [];
        /** Resolves when the hub has its agents back. */
        const cut = async (site: Site, how: Cut, ms: number): Promise<void> => {
          const began = Date.now();
          const own = world.agents[site].map((pid): Blow => {
            notes.read();
            const running = notes.running(() => true).filter(({ agent }) => agent === pid).length;
            return { role: 'agent', how: 'halt', pid, at: began, until: Number.POSITIVE_INFINITY, running };
          });
          blows.push(...own);
          world.machines[site].cut(how);
          await sleep(ms);
          world.machines[site].heal();
          const names = site === 'cern' ? ['cern.c1', 'cern.c2'] : [site === 'near' ? 'near.n1' : 'far.f1'];
          for (const name of names)
            await until(async () => (await world.state(name)) === 'live', `${name} is back`, BACK_MS);
          for (const blow of own) blow.until = Date.now();
          back.push(`${site} ${how} ${ms} ms, back after ${Date.now() - began - ms} ms`);
        };
        const back: string[] = [];
        const loads = [
          new Load(client, randomFrom(1), notes.file, tours(['near', 'cern'])),
          new Load(client, randomFrom(2), notes.file, tours(sites)),
          new Load(client, randomFrom(3), notes.file, anywhere),
        ];
        const far = world.agents.far[0] ?? 0;
        // Some that last three leases: they outlive the lease of the one that is cut off, at their ends it is still away.
        const long = await client.dispatch(fanned)(notes.file, 8, (3 * LEASES.leaseMs) / 5);
        const longAtFar = (): number =>
          notes.running(() => true).filter(({ agent, dispatch }) => agent === far && dispatch === long).length;
        await until(() => longAtFar() > 0, 'one of them runs at far', 30_000);
        const healed = Date.now() + 10 * LEASES.leaseMs;
        await Promise.all([
          cut('far', 'hole', 10 * LEASES.leaseMs),
          sleep(2 * LEASES.leaseMs).then(() => cut('cern', 'cable', 3 * LEASES.leaseMs)),
          sleep(8 * LEASES.leaseMs).then(() => cut('near', 'hole', 0.4 * LEASES.leaseMs)),
        ]);
        await Promise.all(loads.map((load) => load.stop(QUIET_MS)));
        expect(await client.getResult(long, { wait: true })).toMatchObject({
          status: 'completed',
          value: { value: 28 },
        });
        await client.close();
        const { data } = hub.file();
        await ear.close();
        await verdicts.close();
        await world.stop();
        const left = await leftovers(hub.home);
        notes.read();
        const account: Account = {
          ...LEASES,
          blows,
          dispatched: loads.flatMap(({ dispatched }) => dispatched),
          executions: notes.executions,
          events: ear.events,
          stored: await readStore(data),
          left,
        };
        const verdict = check(account);
        const lone = checkAlone(`${notes.file}.alone`);
        console.log(`three sites: ${back.join('; ')}`);
        console.log(
          `three sites: ${countsLine(account, verdict)}; ${lone.executions} alone; verdicts ${JSON.stringify(verdicts.total())}`,
        );
        expect(verdict.violations).toEqual([]);
        expect(lone.overlaps).toEqual([]);
        expect(loads.flatMap(({ refused }) => refused)).toEqual([]);
        // it ran on while nobody could hear it, and what came of it was judged when it was back
        const alone = notes.executions.filter(
          ({ agent, ended }) =>
            agent === far && ended?.how === 'end' && ended.at > healed - 9 * LEASES.leaseMs && ended.at < healed,
        );
        expect(alone.length).toBeGreaterThan(0);
        expect(verdicts.verdicts.get('far.f1')?.get('stale')).toBeGreaterThan(0);
        expect(verdict.repeats.silence).toBeGreaterThan(0);
      }, 240_000);
    });
  },
);
