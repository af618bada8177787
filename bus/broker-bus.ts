/**
 * The bus of a process that has the embedded broker in it. Apart from nats-bus.ts, since it needs nothing of the client that dials.
 * Not here: the line inside (broker/local-link.ts).
 */
import type { Broker } from './broker/broker.ts';
import { localLines } from './broker/local-link.ts';
import { Connection } from './nats/connection.ts';
import type { ConnectionOptions, NatsBus } from './nats/options.ts';
import { parseServer } from './nats/server-address.ts';

/**
 * Without a socket, with all permissions, until the broker is closed.
 * Raises BAD_SUBJECT for an identity that can't be in a subject.
 */
export async function connectBroker(broker: Broker, options: ConnectionOptions): Promise<NatsBus> {
  const bus = new Connection(
    options,
    localLines(broker.inside, parseServer(broker.url), options.name, options.identity),
  );
  await bus.start();
  return bus;
}
