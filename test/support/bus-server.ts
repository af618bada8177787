/** What the bus tests need of any server: the same users with the same permissions, on the embedded broker and on real ones. */
import type { Authenticator } from '../../bus/credentials.ts';
import { credentialsFor, makeAuthenticator, natsServerConfig } from '../../bus/credentials.ts';
import type { Identity } from '../../bus/identity.ts';
import type { Broker } from '../../bus/broker/broker.ts';
import { startBroker } from '../../bus/broker/broker.ts';
import { connectBroker } from '../../bus/broker-bus.ts';
import type { NatsBus } from '../../bus/nats-bus.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import type { Log } from '../../model/log.ts';
import { noLog } from './log-list.ts';
import { realClock } from './real-clock.ts';

export const SECRET = 'a secret of the tests';
export const subjects = makeSubjects();
export const identities: readonly Identity[] = [
  'hub.n1',
  'a.s1.a1',
  'a.s1.a2',
  'a.s2.a1',
  'u.kim',
  'u.lee',
  'o.web',
  'audit.eye',
];
/** May do everything. */
export const ADMIN = { user: 'admin', password: 'admin-password' } as const;
/** Smaller than usual, so that too large is quickly made. */
export const MAX_PAYLOAD = 65_536;

export interface BusServer {
  /** Without credentials. */
  readonly url: string;
  /** A bus in the process of the server, where that can be. */
  readonly join?: (identity: string, log?: Log) => Promise<NatsBus>;
  /** Stops it and starts it again at the same address. Resolves when it listens again; `down` runs while it doesn't. */
  restart(down: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export const passwordOf = (identity: Identity): string => credentialsFor(SECRET, identity).password;

export const authenticator: Authenticator = (given) => {
  if (given.user === ADMIN.user && given.pass === ADMIN.password) {
    return { identity: ADMIN.user, permissions: { publish: {}, subscribe: {} } };
  }
  return makeAuthenticator(SECRET, subjects)(given);
};

/** A nats-server configuration with these users; `listen` is `host:port`. */
export function serverConfig(listen: string): string {
  const users = natsServerConfig(SECRET, identities, subjects);
  const admin = `users: [\n    { user: ${ADMIN.user}, password: "${ADMIN.password}" }`;
  return `listen: "${listen}"\nmax_payload: ${MAX_PAYLOAD}\n${users.replace('users: [', admin)}`;
}

export async function startEmbedded(): Promise<BusServer> {
  const open = (port: number): Promise<Broker> =>
    startBroker({ port, auth: authenticator, maxPayload: MAX_PAYLOAD, log: noLog, clock: realClock });
  let broker = await open(0);
  const { url, port } = broker;
  return {
    url,
    restart: async (down) => {
      await broker.close();
      await down();
      broker = await open(port);
    },
    stop: () => broker.close(),
  };
}

/** The embedded broker, whose tests join it from within. */
export async function startJoinable(): Promise<BusServer> {
  const broker = await startBroker({ auth: authenticator, maxPayload: MAX_PAYLOAD, log: noLog, clock: realClock });
  return {
    url: broker.url,
    join: (identity, log = noLog) => connectBroker(broker, { name: identity, identity, log }),
    restart: () => Promise.reject(new Error('a broker in the own process is not restarted')),
    stop: () => broker.close(),
  };
}
