/**
 * The embedded broker without its listening socket: clients over any stream, the router between them, partitions, silence, counts.
 * Not here: where it listens and TLS (broker.ts, listener.ts).
 *
 * K1. Writes are gathered per client and made once per turn of the event loop.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../model/clock.ts';
import { deferred } from '../../model/deferred.ts';
import type { Log } from '../../model/log.ts';
import { throttledLog } from '../../model/log.ts';
import type { Authenticator } from '../credentials.ts';
import type { ClientHost } from './client.ts';
import { Client } from './client.ts';
import type { FaultHook, PartitionKind } from './faults.ts';
import type { BrokerLimits } from './limits.ts';
import type { Joinable } from './local-link.ts';
import type { MemberSubscription } from './member.ts';
import type { RouterStats } from './router.ts';
import { Router } from './router.ts';

export interface CoreOptions {
  readonly limits: BrokerLimits;
  readonly auth: Authenticator | 'none';
  readonly log: Log;
  readonly clock: Clock;
  readonly faults: FaultHook | undefined;
}

export interface BrokerStats extends Readonly<RouterStats> {
  readonly clients: number;
  readonly subscriptions: number;
  /** Connections accepted since the start. */
  readonly connections: number;
  readonly slowConsumers: number;
  /** Connections with wrong credentials. */
  readonly refused: number;
}

/** After its last line a client has this long to read it. */
const LINGER_MS = 1_000;
const QUIET: ReadonlySet<string> = new Set(['gone', 'severed', 'closed']);

export class BrokerCore implements ClientHost, Joinable {
  readonly limits: BrokerLimits;
  readonly auth: Authenticator | 'none';
  readonly say: ReturnType<typeof throttledLog>;
  /** What every INFO says, beside this. */
  info: Readonly<Record<string, unknown>> = {};
  readonly #clock: Clock;
  readonly #router: Router;
  readonly #clients = new Set<Client>();
  readonly #partitions = new Map<string, PartitionKind>();
  readonly #serverId = randomBytes(14).toString('hex');
  readonly #silence: { timer: Timer };
  #dirty = new Set<Client>();
  #flushScheduled = false;
  readonly #closed = deferred<void>();
  #connections = 0;
  #slowConsumers = 0;
  #refused = 0;

  constructor(options: CoreOptions) {
    this.limits = options.limits;
    this.auth = options.auth;
    this.#clock = options.clock;
    this.say = throttledLog(options.log, () => options.clock.monotonic());
    this.#router = new Router({
      clock: options.clock,
      faults: options.faults,
      isSilenced: (client) => this.#partitionOf(client.name, client.identity) === 'silent',
    });
    const check = (): void => {
      this.#checkSilence();
      this.#silence.timer = this.#clock.after(this.limits.pingIntervalMs, check);
    };
    this.#silence = { timer: this.#clock.after(this.limits.pingIntervalMs, check) };
  }

  /** The line that greets a client. */
  greeting(more: Readonly<Record<string, unknown>> = {}): string {
    return `INFO ${JSON.stringify({
      server_id: this.#serverId,
      server_name: 'polaron',
      version: '2.10.0',
      proto: 1,
      headers: true,
      max_payload: this.limits.maxPayload,
      ...(this.auth === 'none' ? {} : { auth_required: true }),
      ...this.info,
      ...more,
    })} \r\n`;
  }

  /** Serves a client that has been greeted. */
  attach(stream: Duplex): void {
    if (this.#clients.size >= this.limits.maxConnections) {
      stream.end("-ERR 'maximum connections exceeded'\r\n");
      return;
    }
    const client = new Client(++this.#connections, stream, this);
    this.#clients.add(client);
    const gone = (): void => client.destroy('gone');
    stream.on('data', (chunk: Buffer) => client.feed(chunk));
    stream.on('drain', () => client.drained());
    stream.on('error', gone);
    stream.on('end', gone);
    stream.on('close', gone);
    if (this.auth === 'none') return;
    this.#clock.after(this.limits.authTimeoutMs, () => {
      if (!client.connected) client.end('Authentication Timeout');
    });
  }

  stats(): BrokerStats {
    return {
      ...this.#router.stats,
      clients: this.#clients.size,
      subscriptions: this.#router.sublist.size,
      connections: this.#connections,
      slowConsumers: this.#slowConsumers,
      refused: this.#refused,
    };
  }

  partition(who: string, kind: PartitionKind): void {
    this.#partitions.set(who, kind);
    this.#router.partitions = true;
    if (kind === 'severed') this.disconnect(who);
  }

  heal(who: string | undefined): void {
    if (who === undefined) this.#partitions.clear();
    else this.#partitions.delete(who);
    this.#router.partitions = this.#partitions.size > 0;
  }

  disconnect(who: string): number {
    const those = [...this.#clients].filter((client) => client.name === who || client.identity === who);
    for (const client of those) client.destroy('severed');
    return those.length;
  }

  lameDuck(): void {
    const line = this.greeting({ ldm: true });
    for (const client of this.#clients) client.send(line);
  }

  /** Ends all clients. What is written by now has been given to their sockets. */
  close(): void {
    this.#silence.timer.cancel();
    this.#flush();
    for (const client of this.#clients) client.destroy('closed');
    this.#closed.resolve();
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  // What clients ask for.

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delayMs: number, callback: () => void): void {
    this.#clock.after(delayMs, callback);
  }

  published(...message: Parameters<ClientHost['published']>): void {
    this.#router.publish(...message);
  }

  subscribed(subscription: MemberSubscription): void {
    this.#router.sublist.add(subscription);
  }

  unsubscribed(subscription: MemberSubscription): void {
    this.#router.sublist.remove(subscription);
  }

  reaches(prefix: string): boolean {
    return this.#router.sublist.reaches(prefix);
  }

  dirty(client: Client): void {
    this.#dirty.add(client);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => this.#flush());
  }

  isSevered(name: string, identity: string): boolean {
    return this.#partitionOf(name, identity) === 'severed';
  }

  left(client: Client, reason: string): void {
    this.#clients.delete(client);
    if (reason === 'Slow Consumer') this.#slowConsumers++;
    if (reason === 'Authorization Violation') this.#refused++;
    // One that doesn't read its last line is not waited for.
    this.#clock.after(LINGER_MS, () => client.destroy(reason));
    const { name, identity } = client;
    this.say(reason, QUIET.has(reason) ? 'debug' : 'warn', 'bus client cut off', { reason, client: name, identity });
  }

  #flush(): void {
    this.#flushScheduled = false;
    const now = this.#dirty;
    this.#dirty = new Set();
    for (const client of now) client.flush();
  }

  #checkSilence(): void {
    for (const client of this.#clients) {
      if (client.pingsOut >= 2) {
        client.end('Stale Connection');
      } else {
        client.pingsOut++;
        client.send('PING\r\n');
      }
    }
  }

  #partitionOf(name: string, identity: string): PartitionKind | undefined {
    return this.#partitions.get(name) ?? this.#partitions.get(identity);
  }
}
