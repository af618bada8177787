/** The same hub on a real nats-server, with agents that dial in from anywhere; and what other NATS clients may ask of it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getResult, getValue, watch } from 'polaron';
import { credentialsFor, natsServerConfig } from '../../bus/credentials.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { ownCapabilities } from '../../host/own-capabilities.ts';
import type { BusServer } from '../support/bus-server.ts';
import { anyServer, startNatsServer } from '../support/nats-server.ts';
import { isolation, RealHub, type Running } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { branches } from './workflows/failures.ts';
import { throughGate } from './workflows/gates.ts';
import { describeKinds, digestOf, everyKind, kindsEverywhere, large, noise } from './workflows/kinds.ts';
import { doubled } from './workflows/maps.ts';
import { places, rarePlace, wide } from './workflows/places.ts';

const MIB = 1024 * 1024;

/** `polaron agent` with a home of its own, as on another machine; resolves when it has joined. */
async function startAgent(hub: RealHub, bus: string, name: string, ...more: readonly string[]): Promise<Running> {
  const home = mkdtempSync(join(hub.home, `agent-${name}-`));
  const agent = hub.launchPolaron(['agent', '--bus', bus, '--name', name, '--site', 's1', '--slots', '2', ...more], {
    POLARON_HOME: home,
  });
  await until(() => agent.out().includes('ready'), `agent ${name} joins: ${agent.err()}`, 20_000);
  return agent;
}

/** What any NATS client gets: JSON for an empty request. */
async function listByHand(url: string, user: string): Promise<unknown> {
  const { host, username, password } = new URL(url);
  const login = username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  const nats = await connect({ servers: host, inboxPrefix: `_INBOX.u.${user}`, ...login });
  const answer = await nats.request(`polaron.api.${user}.list`, '');
  await nats.close();
  return answer.json();
}

it('a plain client of nats 2.x may list dispatches on the embedded broker', async () => {
  const hub = new RealHub();
  try {
    const { userUrl, user } = await hub.start();
    const id = await dispatch(doubled)(2);
    await getValue(id);
    expect(await listByHand(userUrl, user)).toMatchObject({
      ok: true,
      body: { dispatches: [{ id, lattice: 'doubled', status: 'completed', counts: { completed: 5 } }], more: false },
    });
  } finally {
    await hub.close();
  }
});

withRealPart('nats-server', anyServer, 'no nats-server was found', (binary) => {
  describe('on a real nats-server', () => {
    const hub = new RealHub({ env: { POLARON_LEASE_MS: '2000', POLARON_HEARTBEAT_MS: '500' } });
    let server: BusServer;
    let agents: readonly Running[];
    let folder: string;

    beforeAll(async () => {
      server = await startNatsServer(binary, (listen) => `listen: "${listen}"\n`);
      const started = await hub.polaron(['start', '--detach', '--bus', server.url, '--no-agent', ...hub.options]);
      expect(started).toMatchObject({ exit: 0, err: '' });
      agents = await Promise.all([
        startAgent(hub, server.url, 'a1', '--capability', 'gpu'),
        startAgent(hub, server.url, 'a2'),
      ]);
      process.env['POLARON_URL'] = server.url;
      delete process.env['POLARON_HOME'];
    });
    beforeEach(() => {
      folder = mkdtempSync(join(hub.home, 'gates-'));
    });
    afterAll(async () => {
      await hub.close();
      await server.stop();
    });

    const open = (name: string): void => writeFileSync(join(folder, `${name}.open`), '');
    const notes = (): readonly string[] =>
      existsSync(join(folder, 'notes')) ? readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n') : [];
    const begins = (name: string): number => notes().filter((line) => line.startsWith(`begin ${name} `)).length;

    it('runs the same lattices as on the embedded broker', async () => {
      const kinds = await getValue(await dispatch(kindsEverywhere)(everyKind()));
      expect(kinds.ofGiven.said).toEqual(describeKinds(everyKind()));
      expect(await getValue(await dispatch(doubled)(200))).toMatchObject({ howMany: 200, sum: 39_800 });
      expect(await dispatchSync(branches)()).toMatchObject({ status: 'failed', error: { node: 'breaks' } });
      const value = await getValue(await dispatch(large)(noise(2 * MIB, 3), 2 * MIB));
      expect(digestOf(value.joined)).toBe(digestOf(Buffer.concat([noise(2 * MIB, 3), noise(2 * MIB, 7)])));
    });

    it('shows both agents, and both work', async () => {
      const { agents: shown } = JSON.parse((await hub.polaron(['agents', '--json'])).out);
      expect(shown).toMatchObject([
        { name: 'a1', site: 's1', slots: 2, state: 'live', capabilities: expect.arrayContaining(['process', 'gpu']) },
        {
          name: 'a2',
          site: 's1',
          slots: 2,
          state: 'live',
          capabilities: expect.arrayContaining(['process', 'shell', ...ownCapabilities()]),
        },
      ]);
      // what it was told nothing about
      const { offers } = JSON.parse((await hub.polaron(['doctor', '--json'])).out);
      expect([...shown[1].capabilities].sort()).toEqual([...offers].sort());
      const id = await dispatch(wide)(folder, 4);
      await until(() => [0, 1, 2, 3].every((index) => begins(`w${index}`) === 1), 'all four run at once', 20_000);
      for (let index = 0; index < 4; index++) open(`w${index}`);
      const result = await getResult(id, { wait: true });
      expect(result).toMatchObject({ status: 'completed', value: [0, 1, 2, 3] });
      const where: (string | undefined)[] = [];
      for await (const { agent } of result.electrons.list()) where.push(agent);
      expect(where.sort()).toEqual(['s1.a1', 's1.a1', 's1.a2', 's1.a2']);
    });

    it('gives an electron to the agent that offers what it needs', async () => {
      for (let x = 0; x < 5; x++) {
        const result = await dispatchSync(places)(x);
        expect(result).toMatchObject({ status: 'completed', value: 2 * (x + 1) });
        expect((await result.electrons.get('onGpu')).agent).toBe('s1.a1');
      }
    });

    it('lets an electron wait for an agent that nobody has started yet', async () => {
      const id = await dispatch(rarePlace)(7);
      for await (const { type, electron } of watch(id, { from: 'start' }))
        if (type === 'electron.completed' && electron === 'anywhere') break;
      const { status, attempts } = await (await getResult(id)).electrons.get('onTpu');
      expect([status, attempts]).toEqual(['waiting', 0]);
      expect((await hub.polaron(['show', id])).out).toMatch(/^waits {6}1 electron: no agent offers .*tpu/m);
      const a3 = await startAgent(hub, server.url, 'a3', '--capability', 'tpu', '--capability', 'fast');
      expect(await getValue(id)).toEqual([21, 8]);
      a3.child.kill('SIGTERM');
      expect((await a3.finished).exit).toBe(0);
    });

    it('refuses the second of two agents of one name', async () => {
      const second = await hub.polaron(['agent', '--bus', server.url, '--name', 'a1', '--site', 's1', '--json'], {
        POLARON_HOME: mkdtempSync(join(hub.home, 'second-')),
      });
      expect(second.exit).toBe(1);
      expect(JSON.parse(second.out)).toMatchObject({ error: { code: 'AGENT_NAME_TAKEN' } });
      expect(await getValue(await dispatch(places)(1))).toBe(4);
      expect(agents.map(({ child }) => child.exitCode)).toEqual([null, null]);
    });

    it('goes on when the nats-server was restarted', async () => {
      const id = await dispatch(throughGate)(folder, 'over');
      await until(() => begins('over') === 1, 'it runs', 20_000);
      const waiting = getValue(id);
      await server.restart(() => Promise.resolve());
      open('over');
      expect(await waiting).toBe(3);
      expect(begins('over')).toBe(1);
    });

    it('answers a plain client of nats 2.x in JSON', async () => {
      const { user } = hub.file();
      expect(await listByHand(server.url, user)).toMatchObject({ ok: true, body: { more: false } });
    });

    it('runs elsewhere what a killed agent had', async () => {
      const id = await dispatch(wide)(folder, 4);
      await until(() => [0, 1, 2, 3].every((index) => begins(`w${index}`) === 1), 'all four run at once', 20_000);
      await hub.kill(agents[1]?.pid ?? 0);
      for (let index = 0; index < 4; index++) open(`w${index}`);
      const result = await getResult(id, { wait: true });
      expect(result).toMatchObject({ status: 'completed', value: [0, 1, 2, 3] });
      for await (const { agent } of result.electrons.list()) expect(agent).toBe('s1.a1');
      expect(notes().filter((line) => line.startsWith('begin '))).toHaveLength(6);
      const { agents: shown } = JSON.parse((await hub.polaron(['agents', '--json'])).out);
      expect(shown).toMatchObject([{ name: 'a1' }]);
    });
  });

  it('a hub, an agent and a user need no more than the permissions of their identities', async () => {
    const hub = new RealHub();
    const secret = 'a secret of this test';
    const url = (at: string, identity: Parameters<typeof credentialsFor>[1]): string => {
      const { user, password } = credentialsFor(secret, identity);
      return at.replace('nats://', `nats://${user}:${password}@`);
    };
    const config = natsServerConfig(secret, ['hub.n1', 'a.s1.a1', 'u.kim'], makeSubjects());
    const server = await startNatsServer(binary, (listen) => `listen: "${listen}"\n${config}`);
    try {
      const data = join(hub.home, 'data');
      mkdirSync(data, { mode: 0o700 });
      writeFileSync(join(data, 'hub-identity.json'), JSON.stringify({ node: 'n1', secret, port: 0 }), { mode: 0o600 });
      const started = await hub.polaron([
        'start',
        '--detach',
        '--no-agent',
        '--bus',
        url(server.url, 'hub.n1'),
        ...isolation,
      ]);
      expect(started).toMatchObject({ exit: 0, err: '' });
      await startAgent(hub, url(server.url, 'a.s1.a1'), 'a1');
      process.env['POLARON_URL'] = url(server.url, 'u.kim');
      const value = await getValue(await dispatch(large)(noise(MIB, 3), MIB));
      expect(digestOf(value.joined)).toBe(digestOf(Buffer.concat([noise(MIB, 3), noise(MIB, 7)])));
      expect(await getValue(await dispatch(doubled)(20))).toMatchObject({ howMany: 20 });
    } finally {
      delete process.env['POLARON_URL'];
      await hub.close();
      await server.stop();
    }
  });
});
