/** What a connection to the bus may be given, and what it tells about itself. */
import type { Log } from '../../model/log.ts';
import type { Bus } from '../bus.ts';
import type { TlsOptions } from './dial.ts';
import type { BusTarget } from './dialler.ts';

/** What a connection is told whatever its links are made of. */
export interface ConnectionOptions {
  /** Shown by the server's tools. */
  readonly name: string;
  readonly identity: string;
  readonly log: Log;
  /** Dial until something answers, instead of raising NO_HUB. @default true */
  readonly waitOnFirstConnect?: boolean;
  /** @default 10000 */
  readonly pingIntervalMs?: number;
  /** False: once connected, it keeps the process alive only while a request or flush waits. @default true */
  readonly keepAlive?: boolean;
}

export interface NatsBusOptions extends ConnectionOptions, BusTarget {
  readonly tls?: TlsOptions;
  /** One dial. @default 5000 */
  readonly connectTimeoutMs?: number;
  /** Called before each round of dials: what it returns replaces servers and credentials. */
  readonly reReadCredentials?: () => BusTarget | undefined;
  /** Longest pause between rounds of dials, before jitter. @default 1000 */
  readonly maxReconnectDelayMs?: number;
  /** 0 … 1, for jitter and the order of servers. @default Math.random */
  readonly random?: () => number;
}

export interface BusCounters {
  /** Handlers that threw or rejected. */
  readonly handlerErrors: number;
  /** Publishes and subscriptions that the server refused. */
  readonly refusals: number;
  /** Connections made, the first one included. */
  readonly connects: number;
}

export interface NatsBus extends Bus {
  readonly counters: BusCounters;
  /** The server at the moment, without credentials. */
  readonly server: string | undefined;
}
