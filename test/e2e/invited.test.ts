/** A second agent, a user and an observer elsewhere, on the embedded broker of a hub that others can reach: off loopback, with TLS, by `polaron invite`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from 'nats';
import { dispatch, dispatchSync, getValue } from 'polaron';
import { RealHub, type Running } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { doubled } from './workflows/maps.ts';
import { places } from './workflows/places.ts';

const pem = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
const trust = { NODE_EXTRA_CA_CERTS: pem('cert') };
const hub = new RealHub({
  start: ['--trace-actors', '--host', '0.0.0.0', '--tls-cert', pem('cert'), '--tls-key', pem('key')],
});
let elsewhere: string;
beforeAll(async () => {
  elsewhere = mkdtempSync(join(tmpdir(), 'polaron-elsewhere-'));
  await hub.start();
});
afterAll(async () => {
  await hub.close();
  rmSync(elsewhere, { recursive: true, force: true });
});

/** What stands between the quotes of the line that `polaron invite` prints. The certificate is for localhost. */
async function invited(begins: string, ...args: readonly string[]): Promise<string> {
  const { exit, out } = await hub.polaron(['invite', ...args, '--host', 'localhost']);
  expect([exit, out.slice(0, begins.length), out.split('\n').length]).toEqual([0, begins, 2]);
  return /'([^']*)'/.exec(out)?.[1] ?? '';
}
const startAgent = (bus: string, ...more: readonly string[]): Running =>
  hub.launchPolaron(['agent', '--bus', bus, '--capability', 'gpu', '--slots', '1', ...more], {
    POLARON_HOME: elsewhere,
    ...trust,
  });

describe('polaron invite', () => {
  it('gives an agent elsewhere what it needs to join and to work', async () => {
    const bus = await invited("polaron agent --bus 'tls://a.lab.gpu-1:", 'GPU 1', '--site', 'lab');
    const agent = startAgent(bus);
    await until(() => agent.out().includes('ready'), `it joins: ${agent.err()}`, 20_000);
    expect(await hub.json(['agents'])).toMatchObject({
      agents: [
        { name: 'gpu-1', site: 'lab', state: 'live', capabilities: expect.arrayContaining(['process', 'gpu']) },
        { name: 'local', site: 'local' },
      ],
    });
    const result = await dispatchSync(places)(3);
    expect(result).toMatchObject({ status: 'completed', value: 8 });
    expect((await result.electrons.get('onGpu')).agent).toBe('lab.gpu-1');
    agent.child.kill('SIGTERM');
    expect((await agent.finished).exit).toBe(0);
  });

  it('gives an agent nothing that another could use', async () => {
    const bus = await invited("polaron agent --bus 'tls://a.local.one:", 'one');
    const other = await startAgent(bus, '--name', 'two').finished;
    expect(other).toMatchObject({ exit: 2, err: expect.stringContaining('are for agent one of site local') });
    const forged = await startAgent(bus.replace('a.local.one', 'a.local.two')).finished;
    expect(forged).toMatchObject({ exit: 3, err: expect.stringContaining('AUTH_FAILED') });
  });

  it('gives a user elsewhere a POLARON_URL of their own', async () => {
    const env = { POLARON_URL: await invited("export POLARON_URL='tls://u.kim:", 'kim', '--as', 'user'), ...trust };
    const { exit, out } = await hub.polaron(['ls', '--json'], { ...env, POLARON_HOME: elsewhere });
    expect([exit, JSON.parse(out)]).toEqual([0, { dispatches: [], more: false }]);
  });

  it('gives an observer the messages between actors, and nothing to say', async () => {
    const url = new URL(await invited("nats --server 'tls://o.eye:", 'eye', '--as', 'observer'));
    const observer = await connect({
      servers: url.host,
      inboxPrefix: '_INBOX.o.eye',
      user: decodeURIComponent(url.username),
      pass: url.password,
      tls: { caFile: pem('cert') },
    });
    try {
      const seen = new Set<string>();
      observer.subscribe('polaron.actor.>', { callback: (_error, message) => void seen.add(message.subject) });
      await observer.flush();
      await getValue(await dispatch(doubled)(1));
      for (const kind of ['dispatcher', 'lattice', 'electron', 'matchmaker', 'results'])
        await until(() => [...seen].some((subject) => subject.split('.')[3] === kind), `${kind} is heard`);
      await expect(observer.request('polaron.api.eye.list', '')).rejects.toThrow(/permission/i);
    } finally {
      await observer.close();
    }
  });

  it('is for the machine of a hub only', async () => {
    const { exit, err } = await hub.polaron(['invite', 'one'], { POLARON_HOME: elsewhere });
    expect([exit, err.split(':')[1]]).toEqual([3, ' NO_HUB']);
  });
});
