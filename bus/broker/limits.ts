/** Limits of the embedded broker, and their defaults. */
import { defaults } from '../../model/defaults.ts';

export interface BrokerLimits {
  /** Bytes of payload and headers of one message. */
  readonly maxPayload: number;
  /** Bytes of one protocol line. */
  readonly maxControlLine: number;
  /** Bytes that may wait for one client before it is cut off as a slow consumer. */
  readonly maxPending: number;
  readonly maxSubscriptions: number;
  readonly maxConnections: number;
  /** A client silent for this long is pinged, and cut off after the second PING without an answer. */
  readonly pingIntervalMs: number;
  /** From the connection to a good CONNECT, TLS included. */
  readonly authTimeoutMs: number;
}

export const DEFAULT_LIMITS: BrokerLimits = {
  maxPayload: defaults.maxPayloadBytes,
  maxControlLine: 4_096,
  maxPending: 67_108_864,
  maxSubscriptions: 100_000,
  maxConnections: 65_536,
  pingIntervalMs: 10_000,
  authTimeoutMs: 5_000,
};
