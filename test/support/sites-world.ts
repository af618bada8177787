/**
 * Three sites and a hub, as docs/guides/sites.md sets them up, on machines of a network of their own: `near` and `far` dial in directly, `cern` is behind a NATS server of its own, a leaf node of the hub's.
 * Not here: what runs on them, and who is cut off when.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as dial } from 'nats';
import { codeBlocks } from '../docs/code-blocks.ts';
import { readPage } from '../docs/pages.ts';
import type { Machine, Network } from './namespaces.ts';
import { runNatsServer } from './nats-server.ts';
import { isolation, type RealHub } from './real-hub.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';
import { until } from './until.ts';

export const sites = ['near', 'cern', 'far'] as const;
export type Site = (typeof sites)[number];

const HUB = 'nats.example';
const JOIN_MS = 60_000;

interface Told {
  readonly site: string;
  readonly name: string;
  readonly state: string;
  readonly lastSyncMs: number;
}

export interface SitesWorld {
  readonly machines: Readonly<Record<Site, Machine>>;
  readonly agents: Readonly<Record<Site, readonly { readonly name: string; readonly pid: number }[]>>;
  /** A user's, from outside of the network. */
  readonly url: string;
  /** A login that may hear everything at the hub's server. */
  readonly ear: { readonly url: string; readonly user: string; readonly pass: string };
  /** The same for what the server of `cern` shows. */
  readonly atCern: { readonly url: string; readonly user: string; readonly pass: string };
  /** When the hub heard it last, wall clock, ms; undefined: it is not live. */
  heard(agent: string): Promise<number | undefined>;
  /** Ends all as a user would. */
  stop(): Promise<void>;
}

/** The configuration on the page of that name, for the machines here. */
function configOf(name: string, hub: Machine): string {
  const block = codeBlocks(readPage('docs/guides/sites.md')).find(({ file }) => file === name);
  if (block === undefined) throw new Error(`docs/guides/sites.md shows no ${name}`);
  return block.code.replaceAll(HUB, hub.address);
}

export async function startSites(network: Network, hub: RealHub, natsServer: string): Promise<SitesWorld> {
  const centre = network.add('hub');
  const machines = { near: network.add('near'), cern: network.add('cern'), far: network.add('far') };
  const ends: (() => Promise<unknown>)[] = [];
  const serve = async (name: string, at: Machine): Promise<void> => {
    const file = join(hub.home, name);
    writeFileSync(file, configOf(name, centre), { mode: 0o600 });
    const server = await runNatsServer(natsServer, file, at.within);
    ends.push(() => server.stop());
  };
  const tunnel = async (name: string, to: Machine): Promise<Tunnel> => {
    const opened = await openTunnel(to, join(hub.home, `${name}.socket`), 4222);
    ends.push(() => opened.close());
    return opened;
  };
  await serve('hub.conf', centre);
  await serve('site.conf', machines.cern);
  const bus = `nats://polaron:HUB-PASSWORD@${centre.address}:4222`;
  const start = ['start', '--detach', '--no-agent', '--bus', bus, ...isolation];
  const started = await hub.polaron(start, {}, centre.within);
  if (started.exit !== 0) throw new Error(`the hub does not start: ${started.err}`);
  ends.push(() => hub.stop());
  const agent = async (site: Site, name: string, at: string): Promise<{ name: string; pid: number }> => {
    const home = join(hub.home, `home-${name}`);
    mkdirSync(home);
    const what = ['--site', site, '--name', name, '--slots', '2', '--capability', `site=${site}`];
    const running = hub.launchPolaron(['agent', '--bus', at, ...what], { POLARON_HOME: home }, machines[site].within);
    await until(() => running.out().includes('ready'), `${name} joins: ${running.err()}`, JOIN_MS);
    ends.push(() => {
      running.child.kill('SIGTERM');
      return running.finished;
    });
    return { name: `${site}.${name}`, pid: running.pid };
  };
  const viaCern = `nats://agent:SITE-PASSWORD@${machines.cern.address}:4222`;
  const [n1, c1, c2, f1] = await Promise.all([
    agent('near', 'n1', bus),
    agent('cern', 'c1', viaCern),
    agent('cern', 'c2', viaCern),
    agent('far', 'f1', bus),
  ]);
  const [toHub, toCern] = [await tunnel('hub', centre), await tunnel('cern', machines.cern)];
  const api = await dial({ servers: `nats://127.0.0.1:${toHub.port}`, user: 'polaron', pass: 'HUB-PASSWORD' });
  ends.push(() => api.close());
  const url = `nats://u.kim:KIM-PASSWORD@127.0.0.1:${toHub.port}`;
  return {
    machines,
    agents: { near: [n1], cern: [c1, c2], far: [f1] },
    url,
    ear: { url: `nats://127.0.0.1:${toHub.port}`, user: 'polaron', pass: 'HUB-PASSWORD' },
    atCern: { url: `nats://127.0.0.1:${toCern.port}`, user: 'agent', pass: 'SITE-PASSWORD' },
    heard: async (name) => {
      const answer = await api.request('polaron.api.kim.agents', '', { timeout: JOIN_MS });
      const { body }: { body: { agents: Told[] } } = JSON.parse(answer.string());
      const told = body.agents.find(({ site, name: own }) => `${site}.${own}` === name);
      return told?.state === 'live' ? Date.now() - told.lastSyncMs : undefined;
    },
    stop: async () => {
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}
