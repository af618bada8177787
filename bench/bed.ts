/**
 * Makes what questions are given on one bus: hubs, the bare loop, and a place for what they open. A hub or a loop that is shared is started when it is first
 * asked for. Not responsible for what is asked.
 */
import type { BenchBus } from './bench-bus.ts';
import { type CeilingClient, startCeiling } from './ceiling-client.ts';
import { type BenchHub, type HubWishes, startHub } from './hub.ts';
import { Openings } from './openings.ts';
import type { PeerFigures } from './peer.ts';
import type { Bed } from './question.ts';

export interface BedOptions {
  readonly bus: BenchBus;
  readonly runs: number;
  readonly agents: number;
  readonly most: number | undefined;
  readonly peers: PeerFigures;
  readonly say: (line: string) => void;
}

/** What several questions share on one bus. */
export class Shared {
  readonly #options: BedOptions;
  #openings = new Openings();
  #hub: Promise<BenchHub> | undefined;
  #ceiling: Promise<CeilingClient> | undefined;

  constructor(options: BedOptions) {
    this.#options = options;
  }

  /** For one question; what it opens is closed by its `openings`. */
  bedOf(openings: Openings): Bed {
    const { bus, agents, ...rest } = this.#options;
    const fresh = (wishes: HubWishes, owner: Openings): Promise<BenchHub> =>
      owner.open(
        () => startHub(bus.hubUrl, { agents, ...wishes }),
        (hub) => hub.stop(),
      );
    return {
      ...rest,
      bus,
      agents,
      sharedHub: async () => use(await (this.#hub ??= fresh({}, this.#openings))),
      freshHub: async (wishes = {}) => use(await fresh(wishes, openings)),
      ceiling: () =>
        (this.#ceiling ??= this.#openings.open(
          () => startCeiling(bus.ceilingUrl, agents),
          (ceiling) => ceiling.stop(),
        )),
      open: (open, close) => openings.open(open, close),
    };
  }

  /** Closes what is shared; it is started anew when it is asked for again. */
  async close(): Promise<void> {
    const openings = this.#openings;
    [this.#hub, this.#ceiling, this.#openings] = [undefined, undefined, new Openings()];
    await openings.close();
  }
}

/** The SDK of this process talks to it from now on. */
export function use(hub: BenchHub): BenchHub {
  process.env['POLARON_HOME'] = hub.home;
  delete process.env['POLARON_URL'];
  return hub;
}
