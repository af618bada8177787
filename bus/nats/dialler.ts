/**
 * Finds a server: one round tries every known address once, and the pause between rounds grows.
 * Not here: one attempt (dial.ts), what a connection is used for (nats-bus.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import type { Log } from '../../model/log.ts';
import type { TlsOptions } from './dial.ts';
import { dial } from './dial.ts';
import type { FailedAttempt, Lines, Link } from './link.ts';
import type { ServerAddress } from './server-address.ts';
import { parseServer } from './server-address.ts';

/** Where to dial and as whom. Credentials in a URL are used when these have none. */
export interface BusTarget {
  /** `nats://` or `tls://` URLs; may hold `user:password@` or `token@`. */
  readonly servers: string | readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

export interface DiallerOptions {
  readonly target: BusTarget;
  readonly reRead: (() => BusTarget | undefined) | undefined;
  readonly name: string;
  readonly tls: TlsOptions | undefined;
  readonly timeoutMs: number;
  readonly maxDelayMs: number;
  readonly random: () => number;
  readonly log: Log;
}

export type Round =
  | { readonly type: 'linked'; readonly link: Link }
  | { readonly type: 'failed'; readonly attempts: readonly FailedAttempt[] };

const FIRST_DELAY_MS = 50;

export class Dialler implements Lines {
  readonly #options: DiallerOptions;
  #target: BusTarget;
  /** Servers of the cluster, as the last connection told. */
  #discovered: readonly ServerAddress[] = [];
  #avoid: string | undefined;

  constructor(options: DiallerOptions) {
    this.#options = options;
    this.#target = options.target;
  }

  /** The next rounds try this server last. */
  avoid(server: ServerAddress): void {
    this.#avoid = server.hostPort;
  }

  /** Raises USAGE when an address that was given at the start is no URL. */
  async #round(signal: AbortSignal): Promise<Round> {
    this.#reRead();
    const target = this.#target;
    const attempts: FailedAttempt[] = [];
    for (const server of this.#candidates(target)) {
      if (signal.aborted) break;
      const { name, tls, timeoutMs } = this.#options;
      const result = await dial({
        server,
        name,
        timeoutMs,
        signal,
        ...(tls === undefined ? {} : { tls }),
        ...(target.user === undefined ? {} : { user: target.user }),
        ...(target.password === undefined ? {} : { password: target.password }),
        ...(target.token === undefined ? {} : { token: target.token }),
      });
      if (result.type === 'linked') {
        this.#avoid = undefined;
        this.#discovered = result.link.discovered.map((hostPort) => ({
          ...server,
          hostPort,
          shown: `${server.tls ? 'tls' : 'nats'}://${hostPort}`,
        }));
        return result;
      }
      const user = target.user ?? server.user;
      attempts.push({ server, user, refused: result.type === 'refused', reason: result.reason });
    }
    return { type: 'failed', attempts };
  }

  /** Rounds until one succeeds. */
  async untilLinked(
    first: number,
    hold: boolean,
    signal: AbortSignal,
    failed: (attempts: readonly FailedAttempt[]) => void,
  ): Promise<Link | undefined> {
    for (let n = first; ; n++) {
      await this.#pause(this.#delayMs(n), hold, signal);
      if (signal.aborted) return undefined;
      const round = await this.#round(signal);
      if (round.type === 'linked') return round.link;
      if (signal.aborted) return undefined;
      failed(round.attempts);
    }
  }

  /** Pause before round `n` (from 0): none, then doubling from 50 ms to the longest, up to half of it more or less by chance. */
  #delayMs(n: number): number {
    if (n === 0) return 0;
    const { maxDelayMs, random } = this.#options;
    return Math.min(maxDelayMs, FIRST_DELAY_MS * 2 ** Math.min(n - 1, 20)) * (0.75 + random() / 2);
  }

  /** Ends early when the signal comes. */
  #pause(delayMs: number, hold: boolean, signal: AbortSignal): Promise<void> {
    if (delayMs === 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      if (!hold) timer.unref();
      signal.addEventListener('abort', done);
    });
  }

  #reRead(): void {
    const { reRead, log } = this.#options;
    if (reRead === undefined) return;
    try {
      const target = reRead();
      if (target === undefined) return;
      addresses(target);
      this.#target = target;
    } catch (error) {
      log('warn', 'bus address and credentials could not be read again', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #candidates(target: BusTarget): readonly ServerAddress[] {
    const given = addresses(target).map((server) => ({ server, rank: this.#options.random() }));
    const known = new Set(given.map(({ server }) => server.hostPort));
    const more = this.#discovered
      .filter((server) => !known.has(server.hostPort))
      .map((server) => ({ server, rank: 1 + this.#options.random() }));
    return [...given, ...more]
      .map(({ server, rank }) => ({ server, rank: server.hostPort === this.#avoid ? rank + 4 : rank }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ server }) => server);
  }
}

function addresses(target: BusTarget): readonly ServerAddress[] {
  const servers = typeof target.servers === 'string' ? target.servers.split(',') : target.servers;
  if (servers.length === 0) throw new PolaronError('USAGE', 'no bus URL was given; expected nats://host:port');
  return servers.map((server) => parseServer(server.trim()));
}
