/**
 * Makes what questions are given on one bus: hubs, the bare loop, and a place for what they open. A hub or a loop that is shared is started when it is first
 * asked for. Not responsible for what is asked.
 */
import { type CeilingClient, startCeiling } from './ceiling-client.ts';
import { type BenchHub, type HubWishes, startHub } from './hub.ts';
import { Openings } from './openings.ts';
import type { Bed } from './question.ts';

/** What all questions on one bus are given alike. */
export type BedOptions = Pick<Bed, 'bus' | 'runs' | 'warmUps' | 'agents' | 'most' | 'peers' | 'say'>;

/** What several questions share on one bus. */
export class Shared {
  readonly #options: BedOptions;
  readonly #hub = new Once<BenchHub>();
  readonly #ceiling = new Once<CeilingClient>();

  constructor(options: BedOptions) {
    this.#options = options;
  }

  /** For one question; what it opens is closed by its `openings`. */
  bedOf(openings: Openings): Bed {
    const { bus, agents } = this.#options;
    const hub = (wishes: HubWishes): Promise<BenchHub> => startHub(bus.hubUrl, { agents, ...wishes });
    const stop = (one: { stop(): Promise<void> }): Promise<void> => one.stop();
    return {
      ...this.#options,
      sharedHub: async () => use(await this.#hub.get(() => hub({}), stop)),
      freshHub: async (wishes = {}) => {
        // Two hubs on one nats-server would hear each other's agents.
        await this.#hub.close();
        return use(await openings.open(() => hub(wishes), stop));
      },
      ceiling: () => this.#ceiling.get(() => startCeiling(bus.ceilingUrl, agents), stop),
      open: (open, close) => openings.open(open, close),
    };
  }

  /** Closes what is shared; it is started anew when it is asked for again. */
  async close(): Promise<void> {
    await this.#hub.close();
    await this.#ceiling.close();
  }
}

/** Opened when it is first asked for, and again after a close. */
class Once<T> {
  #openings = new Openings();
  #one: Promise<T> | undefined;

  get(open: () => Promise<T>, close: (one: T) => Promise<void>): Promise<T> {
    return (this.#one ??= this.#openings.open(open, close));
  }

  async close(): Promise<void> {
    const openings = this.#openings;
    [this.#one, this.#openings] = [undefined, new Openings()];
    await openings.close();
  }
}

/** The SDK of this process talks to it from now on. */
export function use(hub: BenchHub): BenchHub {
  process.env['POLARON_HOME'] = hub.home;
  delete process.env['POLARON_URL'];
  return hub;
}
