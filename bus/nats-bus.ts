/**
 * The bus over NATS: a real nats-server, cluster or leaf node, or the embedded broker; it can't tell which.
 * Not here: how (nats/connection.ts), the broker (broker/broker.ts).
 */
import { Connection } from './nats/connection.ts';
import { Dialler } from './nats/dialler.ts';
import type { NatsBus, NatsBusOptions } from './nats/options.ts';

export type { TlsOptions } from './nats/dial.ts';
export type { BusTarget } from './nats/dialler.ts';
export type { BusCounters, NatsBus, NatsBusOptions } from './nats/options.ts';

/**
 * Resolves when connected. Raises AUTH_FAILED when a server answers and refuses the credentials, NO_HUB when nothing answers and
 * `waitOnFirstConnect` is false, USAGE for a URL that is none, BAD_SUBJECT for an identity that can't be in a subject.
 */
export async function connectNats(options: NatsBusOptions): Promise<NatsBus> {
  const dialler = new Dialler({
    target: options,
    reRead: options.reReadCredentials,
    name: options.name,
    tls: options.tls,
    timeoutMs: options.connectTimeoutMs ?? 5_000,
    maxDelayMs: options.maxReconnectDelayMs ?? 1_000,
    random: options.random ?? Math.random,
    log: options.log,
  });
  const bus = new Connection(options, dialler);
  await bus.start();
  return bus;
}
