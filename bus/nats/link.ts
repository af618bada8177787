/**
 * One live line to a broker, as a connection uses it. Two kinds: over nats.js (wire.ts), and inside the broker's own process (broker/local-link.ts).
 * Not here: living on when it is lost (connection.ts).
 */
import type { MsgHdrs, Status } from '@nats-io/transport-node';
import type { ServerAddress } from './server-address.ts';

/** A message as it came. */
export interface Delivery {
  readonly subject: string;
  readonly reply?: string | undefined;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
}

export interface Link {
  readonly server: ServerAddress;
  readonly maxPayload: number;
  /** Servers of a cluster that this one told of, as `host:port`. */
  readonly discovered: readonly string[];
  /** Can it still take bytes? */
  readonly writable: boolean;
  /** Does any flush wait? */
  readonly flushing: boolean;
  /** Calls `lost` once when the line is gone, `status` for each notice. */
  watch(lost: () => void, status: (status: Status) => void): void;
  publish(subject: string, data: Uint8Array, reply: string | undefined, headers: MsgHdrs | undefined): void;
  /** False when nobody would get a message on a subject that begins with `prefix` and a dot; true where that isn't known. */
  reaches(prefix: string): boolean;
  /** `handler` must not throw. Returns what ends the subscription. */
  subscribe(subject: string, queue: string | undefined, handler: (message: Delivery) => void): () => void;
  /** Resolves when the broker has seen all before. Rejects with BUS_DISCONNECTED when the line is lost. */
  flush(): Promise<void>;
  /** Shall it keep the process alive? */
  hold(wanted: boolean): void;
  /** Cuts it at once. */
  destroy(): void;
}

/** A server that didn't take us. */
export interface FailedAttempt {
  readonly server: ServerAddress;
  readonly user: string | undefined;
  readonly refused: boolean;
  readonly reason: string;
}

/** Where a connection gets its links from. */
export interface Lines {
  /**
   * Tries until there is one; `failed` hears of each round without success and may throw to end it. Undefined when the signal ends it.
   * `first` 0: no pause before. `hold`: the pauses keep the process alive.
   */
  untilLinked(
    first: number,
    hold: boolean,
    signal: AbortSignal,
    failed: (attempts: readonly FailedAttempt[]) => void,
  ): Promise<Link | undefined>;
  /** This server is about to stop: others go first. */
  avoid(server: ServerAddress): void;
}
