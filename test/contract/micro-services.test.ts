/** Hub, results and agents as micro services, asked by the real `nats` command, which checks each answer against NATS' own schemas: on the embedded broker and on a nats-server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getValue } from 'polaron';
import { userIdentity } from '../../bus/identity.ts';
import { NODE as node, onEmbedded, onServer, type AskedHub } from '../support/asked-hub.ts';
import { currentServer } from '../support/nats-server.ts';
import { natsCli, NatsCli } from '../support/nats-cli.ts';
import { withRealPart } from '../support/real-part.ts';
import { doubled } from '../e2e/workflows/maps.ts';

type Json = Readonly<Record<string, unknown>>;
const isJson = (x: unknown): x is Json => typeof x === 'object' && x !== null;
const objects = (x: unknown): readonly Json[] => (Array.isArray(x) ? x.filter(isJson) : []);
function describeServices(where: string, binary: string, open: () => Promise<AskedHub>, results: string): void {
  describe(`micro services ${where}`, () => {
    let asked: AskedHub;
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
      expect(status?.['last_error']).toMatch(/^UNKNOWN_DISPATCH$/);
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
  describeServices('on the embedded broker', binary, () => onEmbedded('--isolate', 'results'), `${node}-results`);
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
