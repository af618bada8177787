/**
 * A NATS micro service (ADR-32): answers PING, INFO and STATS, for everybody, for its name and for its id, so that `nats micro` finds it. No work is
 * routed through it: its endpoints are subjects that somebody serves already, and who serves them counts here. Not here: what is served.
 */
import { asPolaronError } from '../model/errors.ts';
import type { Bus, BusMessage } from './bus.ts';
import { isPrivateReply } from './reply.ts';

/** A subject that is served, as others see it. */
export interface Endpoint {
  /** `[a-zA-Z0-9_-]+` */
  readonly name: string;
  readonly subject: string;
  readonly queueGroup?: string;
  /** More than counts: told with them. */
  readonly data?: () => unknown;
}

/** Counts what one endpoint was asked. */
export class EndpointMeter {
  requests = 0;
  errors = 0;
  lastError = '';
  tookMs = 0;

  /** It was asked, and done with it after `tookMs`; `error`: what it failed of. */
  count(tookMs: number, error?: unknown): void {
    this.requests++;
    this.tookMs += tookMs;
    if (error === undefined) return;
    this.errors++;
    // its text may name what belongs to one user, and everybody may ask
    this.lastError = asPolaronError(error, 'BAD_REQUEST').code;
  }
}

/** Counts one request of an endpoint: it was done with after `tookMs`; `error`: what it failed of. */
export type CountRequest<Name extends string> = (endpoint: Name, tookMs: number, error?: unknown) => void;

export interface MicroServiceOptions<Name extends string> {
  readonly bus: Bus;
  /** First token of our subjects. */
  readonly prefix: string;
  /** What all instances are called. `[a-zA-Z0-9_-]+` */
  readonly name: string;
  /** Of this instance: one token. */
  readonly id: string;
  readonly version: string;
  readonly description: string;
  /** Wall clock, ms. */
  readonly startedAt: number;
  readonly metadata: () => Readonly<Record<string, string>>;
  readonly endpoints: readonly (Endpoint & { readonly name: Name })[];
}

const NANOSECONDS = 1e6;

export class MicroService<Name extends string> {
  readonly #o: MicroServiceOptions<Name>;
  readonly #meters: ReadonlyMap<string, EndpointMeter>;

  constructor(options: MicroServiceOptions<Name>) {
    this.#o = options;
    this.#meters = new Map(options.endpoints.map(({ name }) => [name, new EndpointMeter()]));
  }

  readonly count: CountRequest<Name> = (endpoint, tookMs, error) => this.#meters.get(endpoint)?.count(tookMs, error);

  /** Begins to answer; returns what ends it. */
  listen(): () => void {
    const { bus, name, id } = this.#o;
    const verbs: readonly (readonly [string, () => object])[] = [
      ['PING', () => this.ping()],
      ['INFO', () => this.info()],
      ['STATS', () => this.stats()],
    ];
    const subscriptions = verbs.flatMap(([verb, answer]) =>
      ['', `.${name}`, `.${name}.${id}`].map((of) =>
        bus.subscribe(`$SRV.${verb}${of}`, (message) => this.#answer(message, answer)),
      ),
    );
    return () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    };
  }

  /** Who asks chooses where the answer goes: never to a subject on which it would be taken for a word of ours. */
  #answer(message: BusMessage, answer: () => object): void {
    if (isPrivateReply(message.reply, this.#o.prefix)) message.respond(Buffer.from(JSON.stringify(answer())));
  }

  ping(): object {
    return { type: 'io.nats.micro.v1.ping_response', ...this.#identity() };
  }

  info(): object {
    const { description, endpoints } = this.#o;
    return {
      type: 'io.nats.micro.v1.info_response',
      ...this.#identity(),
      description,
      endpoints: endpoints.map((endpoint) => ({ ...places(endpoint), metadata: {} })),
    };
  }

  stats(): object {
    const { startedAt, endpoints } = this.#o;
    return {
      type: 'io.nats.micro.v1.stats_response',
      ...this.#identity(),
      started: new Date(startedAt).toISOString(),
      endpoints: endpoints.map((endpoint) => {
        const { requests, errors, lastError, tookMs } = this.#meters.get(endpoint.name) ?? new EndpointMeter();
        return {
          ...places(endpoint),
          num_requests: requests,
          num_errors: errors,
          last_error: lastError, // the nats CLI refuses an answer without it
          processing_time: Math.round(tookMs * NANOSECONDS),
          average_processing_time: requests === 0 ? 0 : Math.round((tookMs * NANOSECONDS) / requests),
          ...(endpoint.data === undefined ? {} : { data: endpoint.data() }),
        };
      }),
    };
  }

  #identity(): object {
    const { name, id, version, metadata } = this.#o;
    return { name, id, version, metadata: metadata() };
  }
}

const places = ({ name, subject, queueGroup }: Endpoint): object => ({ name, subject, queue_group: queueGroup ?? '' });
