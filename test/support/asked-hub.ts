/** A hub of a known name and secret, so that a test has the credentials of every identity: on its embedded broker, or on a nats-server with these identities and their permissions. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentialsFor, natsServerConfig } from '../../bus/credentials.ts';
import { auditorIdentity, observerIdentity, userIdentity, type Identity } from '../../bus/identity.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { startNatsServer } from './nats-server.ts';
import { RealHub } from './real-hub.ts';
import { until } from './until.ts';

export const NODE = 'n1';
const SECRET = 'a secret of this test';

export interface AskedHub {
  readonly hub: RealHub;
  /** With the credentials of an identity. */
  readonly url: (identity: Identity) => string;
  /** The only agent, as the micro services call it. */
  readonly agent: string;
  readonly stop: () => Promise<void>;
}

const withLogin = (at: string, identity: Identity): string => {
  const { user, password } = credentialsFor(SECRET, identity);
  return at.replace('nats://', `nats://${user}:${password}@`);
};

function namedHub(start: readonly string[]): RealHub {
  const hub = new RealHub({ start });
  const data = join(hub.home, 'data');
  mkdirSync(data, { mode: 0o700 });
  const identity = { node: NODE, secret: SECRET, port: 0 };
  writeFileSync(join(data, 'hub-identity.json'), JSON.stringify(identity), { mode: 0o600 });
  return hub;
}

/** `start`: options of `polaron start`. */
export async function onEmbedded(...start: readonly string[]): Promise<AskedHub> {
  const hub = namedHub(start);
  const { bus } = await hub.start();
  return { hub, url: (identity) => withLogin(bus, identity), agent: 'local_local', stop: () => hub.close() };
}

/** The agent a1 is at the site `s_1`; kim is a user, eye an observer, ears an auditor. */
export async function onServer(binary: string, ...start: readonly string[]): Promise<AskedHub> {
  const hub = namedHub(start);
  const people: readonly Identity[] = [userIdentity('kim'), observerIdentity('eye'), auditorIdentity('ears')];
  const config = natsServerConfig(SECRET, ['hub.n1', 'a.s_1.a1', ...people], makeSubjects());
  const server = await startNatsServer(binary, (listen) => `listen: "${listen}"\n${config}`);
  const url = (identity: Identity): string => withLogin(server.url, identity);
  const started = await hub.polaron(['start', '--detach', '--no-agent', '--bus', url('hub.n1'), ...hub.options]);
  if (started.exit !== 0) throw new Error(started.err);
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
