/** The bus of a test hub: the embedded broker without its socket, and lines to it that can be cut. Not here: what is said on it. */
import type { BrokerCore } from '../bus/broker/core.ts';
import { LocalLink } from '../bus/broker/local-link.ts';
import { Connection } from '../bus/nats/connection.ts';
import type { Lines, Link } from '../bus/nats/link.ts';
import type { NatsBus } from '../bus/nats/options.ts';
import { parseServer } from '../bus/nats/server-address.ts';
import { deferred, type Deferred } from '../model/deferred.ts';
import type { Log } from '../model/log.ts';

const address = parseServer('nats://in-process');

class CutLink extends LocalLink {
  #lost: () => void = () => undefined;

  override watch(lost: () => void): void {
    this.#lost = lost;
    super.watch(lost);
  }

  cut(): void {
    this.destroy();
    this.#lost();
  }
}

export interface LocalBus {
  readonly bus: NatsBus;
  /** Nothing comes or goes any more; the connection dials until `heal`. */
  cut(): void;
  heal(): void;
}

export async function connectLocal(core: BrokerCore, identity: string, log: Log): Promise<LocalBus> {
  let link: CutLink | undefined;
  let away: Deferred<void> | undefined;
  let closed = false;
  void core.closed.then(() => {
    closed = true;
  });
  const lines: Lines = {
    untilLinked: async (): Promise<Link | undefined> => {
      await away?.promise;
      if (closed) return undefined;
      link = new CutLink(core, address, identity, identity);
      return link;
    },
    avoid: () => undefined,
  };
  const bus = new Connection({ name: identity, identity, log }, lines);
  await bus.start();
  return {
    bus,
    cut: () => {
      away ??= deferred();
      link?.cut();
    },
    heal: () => {
      away?.resolve();
      away = undefined;
    },
  };
}
