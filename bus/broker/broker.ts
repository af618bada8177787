/**
 * The embedded broker: core NATS for one host and for tests, without installing anything. Any NATS client can talk to it.
 * Not here: clusters, leaf nodes, JetStream, accounts; for those use a real nats-server.
 *
 * B1. Off loopback it listens only with TLS and credentials, unless `insecure` is said.
 */
import type { Clock } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Log } from '../../model/log.ts';
import type { Authenticator } from '../credentials.ts';
import type { BrokerStats } from './core.ts';
import { BrokerCore } from './core.ts';
import type { FaultHook, PartitionKind } from './faults.ts';
import type { BrokerLimits } from './limits.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { Joinable } from './local-link.ts';
import type { TlsMaterial } from './listener.ts';
import { isLoopback, listen } from './listener.ts';

export type { BrokerStats } from './core.ts';

export interface BrokerOptions extends Partial<BrokerLimits> {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0: any free one. @default 0 */
  readonly port?: number;
  readonly tls?: TlsMaterial;
  /** Listen off loopback without TLS or credentials; a warning is logged. */
  readonly insecure?: boolean;
  readonly auth: Authenticator | 'none';
  readonly log: Log;
  readonly clock: Clock;
  readonly faults?: FaultHook;
}

export interface Broker {
  readonly port: number;
  /** Without credentials. */
  readonly url: string;
  /** For `connectBroker`. */
  readonly inside: Joinable;
  stats(): BrokerStats;
  /** Cuts off the client with this name or identity until `heal`. @default 'silent' */
  partition(who: string, kind?: PartitionKind): void;
  /** Ends the partition of one, or of all. */
  heal(who?: string): void;
  /** Cuts the connections of a client once; it may come back at once. Returns how many there were. */
  disconnect(who: string): number;
  /** Tells all clients to go elsewhere (INFO with `ldm`), as a server does before it stops. */
  lameDuck(): void;
  close(): Promise<void>;
}

/** Raises INSECURE_LISTEN, START_FAILED. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const host = options.host ?? '127.0.0.1';
  checkSecurity(host, options);
  const limits = resolveLimits(options);
  const { auth, log, clock, faults, tls } = options;
  const core = new BrokerCore({ limits, auth, log, clock, faults });
  const listener = await listen({
    host,
    port: options.port ?? 0,
    tls,
    handshakeTimeoutMs: limits.authTimeoutMs,
    greeting: () => core.greeting(),
    accepted: (socket) => core.attach(socket),
    failed: (error) => core.say('connection', 'debug', 'bus connection failed', { error: error.message }),
  }).catch((error: unknown) => {
    core.close();
    throw error;
  });
  const { port } = listener;
  core.info = { host, port, ...(tls === undefined ? {} : { tls_required: true }) };
  return {
    port,
    url: `${tls === undefined ? 'nats' : 'tls'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    inside: core,
    stats: () => core.stats(),
    partition: (who, kind = 'silent') => core.partition(who, kind),
    heal: (who) => core.heal(who),
    disconnect: (who) => core.disconnect(who),
    lameDuck: () => core.lameDuck(),
    close: async () => {
      core.close();
      await listener.close();
    },
  };
}

function resolveLimits(options: BrokerOptions): BrokerLimits {
  return {
    maxPayload: options.maxPayload ?? DEFAULT_LIMITS.maxPayload,
    maxControlLine: options.maxControlLine ?? DEFAULT_LIMITS.maxControlLine,
    maxPending: options.maxPending ?? DEFAULT_LIMITS.maxPending,
    maxSubscriptions: options.maxSubscriptions ?? DEFAULT_LIMITS.maxSubscriptions,
    maxConnections: options.maxConnections ?? DEFAULT_LIMITS.maxConnections,
    pingIntervalMs: options.pingIntervalMs ?? DEFAULT_LIMITS.pingIntervalMs,
    authTimeoutMs: options.authTimeoutMs ?? DEFAULT_LIMITS.authTimeoutMs,
  };
}

function checkSecurity(host: string, options: BrokerOptions): void {
  if (isLoopback(host)) return;
  const missing = [
    ...(options.tls === undefined ? ['TLS'] : []),
    ...(options.auth === 'none' ? ['credentials'] : []),
  ].join(' and ');
  if (missing === '') return;
  if (options.insecure === true) {
    options.log(
      'warn',
      `the bus listens on ${host} without ${missing}: anyone who can reach it can read or send messages`,
      { host },
    );
    return;
  }
  throw new PolaronError(
    'INSECURE_LISTEN',
    `the bus would listen on ${host}, which is not loopback, without ${missing}`,
    {
      details: { host, missing },
    },
  );
}
