/** Hub, results and agents as micro services, asked by the real `nats` command, which checks each answer against NATS' own schemas: on the embedded broker and on a nats-server. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getValue } from 'polaron';
import { credentialsFor, natsServerConfig } from '../../bus/credentials.ts';
import { auditorIdentity, userIdentity, type Identity } from '../../bus/identity.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { currentServer, startNatsServer } from '../support/nats-server.ts';
import { natsCli, NatsCli } from '../support/nats-cli.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { doubled } from '../e2e/workflows/maps.ts';

type Json = Readonly<Record<string, unknown>>;
interface Asked {
  readonly hub: RealHub;
  /** With the credentials of an identity. */
  readonly url: (identity: Identity) => string;
  /** The agent, as the services call it. */
  readonly agent: string;
  readonly stop: () => Promise<void>;
}

const isJson = (x: unknown): x is Json => typeof x === 'object' && x !== null;
const objects = (x: unknown): readonly Json[] => (Array.isArray(x) ? x.filter(isJson) : []);
const node = 'n1';
const secret = 'a secret of this test';
const withLogin = (at: string, identity: Identity): string => {
  const { user, password } = credentialsFor(secret, identity);
  return at.replace('nats://', `nats://${user}:${password}@`);
};

/** A home whose hub has this name and this secret, so that credentials can be made. */
function homeOf(hub: RealHub): void {
  const data = join(hub.home, 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(data, 'hub-identity.json'), JSON.stringify({ node, secret, port: 0 }), { mode: 0o600 });
}

async function onEmbedded(isolate: readonly string[] = []): Promise<Asked> {
  const hub = new RealHub({ start: isolate });
  homeOf(hub);
  const { bus } = await hub.start();
  return { hub, url: (identity) => withLogin(bus, identity), agent: 'local_local', stop: () => hub.close() };
}

async function onServer(binary: string): Promise<Asked> {
  const hub = new RealHub();
  homeOf(hub);
  const config = natsServerConfig(
    secret,
    ['hub.n1', 'a.s_1.a1', userIdentity('kim'), auditorIdentity('eye')],
    makeSubjects(),
  );
  const server = await startNatsServer(binary, (listen) => `listen: "${listen}"\n${config}`);
  const url = (identity: Identity): string => withLogin(server.url, identity);
  const started = await hub.polaron(['start', '--detach', '--no-agent', '--bus', url('hub.n1'), ...hub.options]);
  expect(started).toMatchObject({ exit: 0, err: '' });
  const at = ['--bus', url('a.s_1.a1'), '--name', 'a1', '--site', 's_1', '--slots', '2'];
  const agent = hub.launchPolaron(['agent', ...at], { POLARON_HOME: join(hub.home, 'agent') });
  await until(() => agent.out().includes('ready'), `the agent joins: ${agent.err()}`, 20_000);
  return {
    hub,
    url,
    agent: 'sU1_a1',
    stop: async () => {
      await hub.close();
      await server.stop();
    },
  };
}

function describeServices(where: string, binary: string, open: () => Promise<Asked>, results: string): void {
  describe(`micro services ${where}`, () => {
    let asked: Asked;
    let nats: NatsCli;
    beforeAll(async () => {
      asked = await open();
      nats = new NatsCli(binary, { NATS_URL: asked.url(userIdentity('kim')) });
      process.env['POLARON_URL'] = asked.url(userIdentity('kim'));
      expect(await getValue(await dispatch(doubled)(4))).toMatchObject({ howMany: 4 });
    });
    afterAll(async () => {
      delete process.env['POLARON_URL'];
      nats?.close();
      await asked?.stop();
    });

    const ask = async (...args: readonly string[]): Promise<string> => {
      const said = await nats.run('--inbox-prefix', '_INBOX.u.kim', '--timeout', '2s', 'micro', ...args);
      expect(said.exit, said.err).toBe(0);
      return said.out;
    };
    const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse(await ask(...args, '--json'));
    /** The endpoints of one instance, by name. */
    const endpoints = async (service: string): Promise<Readonly<Record<string, Json>>> => {
      const [stats] = objects(await json('stats', service));
      return Object.fromEntries(objects(stats?.['endpoints']).map((one) => [one['name'], one]));
    };

    it('are listed, each with its id', async () => {
      const found = objects(await json('ls')).map(({ name, id }) => `${String(name)} ${String(id)}`);
      expect(found.sort()).toEqual([
        `polaron-agent ${asked.agent}`,
        `polaron-dispatcher ${node}`,
        `polaron-results ${results}`,
      ]);
      expect(await ask('ls')).toContain('Accepts dispatches and answers for them');
    });

    it('say who they are: version, node, site, slots, capabilities', async () => {
      const version = (await asked.hub.polaron(['--version'])).out.trim();
      expect(await json('info', 'polaron-dispatcher', node)).toMatchObject({
        info: { version, metadata: { hub: 'hub.n1', node, version, agents: '1', slots: '2' } },
      });
      expect(await json('info', 'polaron-results')).toMatchObject({
        info: { id: results, metadata: { node: results, process: results === node ? 'hub' : 'own' } },
      });
      expect(await json('info', 'polaron-agent', asked.agent)).toMatchObject({
        info: { version, metadata: { slots: '2', capabilities: expect.stringContaining('process') } },
      });
      expect(await ask('info', 'polaron-agent')).toContain('Service Information');
    });

    it('count what was asked of them, and what failed', async () => {
      const before = await endpoints('polaron-dispatcher');
      // a client may have to upload again, and ask again
      const asks = Number(before['submit']?.['num_requests']);
      expect(before['submit']).toMatchObject({
        num_errors: asks - 1,
        last_error: asks === 1 ? '' : expect.any(String),
      });
      const refused = await nats.run('--inbox-prefix', '_INBOX.u.kim', 'req', 'polaron.api.kim.status', '{"id":"no"}');
      expect(refused.out).toContain('UNKNOWN_DISPATCH');
      const { status, submit } = await endpoints('polaron-dispatcher');
      expect(status).toMatchObject({ num_errors: Number(before['status']?.['num_errors']) + 1 });
      expect(status?.['last_error']).toMatch(/^UNKNOWN_DISPATCH: "no"/);
      expect(Number(submit?.['processing_time'])).toBeGreaterThan(10_000);
      const average = Number(submit?.['processing_time']) / asks;
      expect(Math.abs(Number(submit?.['average_processing_time']) - average)).toBeLessThan(2);

      const kept = await endpoints('polaron-results');
      expect(Number(kept['write']?.['num_requests'])).toBeGreaterThan(0);
      expect(Number(kept['blob-put']?.['num_requests'])).toBeGreaterThan(0);

      const { assign, blob } = await endpoints('polaron-agent');
      expect(Number(assign?.['num_requests'])).toBeGreaterThan(0);
      expect(assign?.['data']).toMatchObject({ slots: 2, joined: true, unfinished: 0 });
      expect(blob).toMatchObject({ num_requests: 0, num_errors: 0 });
    });

    it('answer pings', async () => {
      const rows = (await ask('ping')).split('\n').map((line) => line.replace(/\s+rtt=.*/, ''));
      expect(rows.filter((line) => line !== '').sort()).toEqual(
        [`polaron-agent ${asked.agent}`, `polaron-dispatcher ${node}`, `polaron-results ${results}`].sort(),
      );
    });
  });
}

withRealPart('nats CLI', natsCli, 'no nats command was found', (binary) => {
  describeServices('on the embedded broker', binary, () => onEmbedded(['--isolate', 'results']), `${node}-results`);
  withRealPart('nats-server (current)', currentServer, 'no current nats-server was found', (server) => {
    const isolated = process.env['POLARON_TEST_ISOLATE'] === '1';
    describeServices(
      `on a nats-server with permissions`,
      binary,
      () => onServer(server),
      isolated ? `${node}-results` : node,
    );
  });
});
