/**
 * The bus contract: what every part of Polaron may ask of a message bus. It may lose, repeat, delay and reorder messages.
 * Adapter: nats-bus.ts (a real nats-server or the embedded broker). One contract suite: test/contract/bus.ts.
 */

export type Headers = Readonly<Record<string, string>>;

export interface PublishOptions {
  /** Subject that an answer should go to. */
  readonly reply?: string;
  readonly headers?: Headers;
}

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string;
  /** Read on demand: parsing headers is dear. Undefined when there are none. */
  header(name: string): string | undefined;
  /** Answers to `reply`; nothing happens when there is none or the bus is not connected. Raises PAYLOAD_TOO_LARGE. */
  respond(data: Uint8Array, headers?: Headers): void;
}

export type BusHandler = (message: BusMessage) => void | Promise<void>;

export interface Subscription {
  readonly subject: string;
  unsubscribe(): void;
}

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly headers?: Headers;
  readonly signal?: AbortSignal;
}

export type BusStatus =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  /** The server refused a subject or the credentials; dialling goes on. */
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'slow-consumer' }
  | { readonly type: 'closed' };

export interface Bus {
  /** Who this connection is: part of its reply inbox `_INBOX.<identity>.>`; its dots separate tokens (`site.agent`). */
  readonly identity: string;
  readonly connected: boolean;
  /** Bytes of payload and headers that one message may hold, as the server says. */
  readonly maxPayload: number;
  /**
   * Sends without waiting. Returns false when not connected: nothing is queued, since what is queued would be lost silently.
   * Raises PAYLOAD_TOO_LARGE, BAD_SUBJECT, BUS_CLOSED. `data` must not be changed afterwards.
   */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): boolean;
  /** False when nobody would get what is published on a subject that begins with `prefix` and a dot: it needn't be made. True where that isn't known. */
  reaches(prefix: string): boolean;
  /** Calls `handler` for each message, in order of arrival; what it throws or rejects with is logged and counted, never propagated. Survives reconnection. */
  subscribe(subject: string, handler: BusHandler, options?: { readonly queue?: string }): Subscription;
  /**
   * Publishes with a private reply subject and waits for the first answer.
   * Rejects with NO_RESPONDERS, REQUEST_TIMEOUT, BUS_DISCONNECTED (at once when not connected, or when the connection is lost meanwhile),
   * PERMISSION_DENIED, PAYLOAD_TOO_LARGE, BUS_CLOSED, or the signal's reason.
   */
  request(subject: string, data: Uint8Array, options: RequestOptions): Promise<BusMessage>;
  /** Resolves when the server has seen everything published before. Rejects with BUS_DISCONNECTED. */
  flush(): Promise<void>;
  onStatus(listener: (status: BusStatus) => void): () => void;
  /** Cuts the connection and dials anew, another server first if there is one: for whoever has reason to think that nothing comes over it. Missing where there is nothing to dial. */
  renew?(): void;
  /** Flushes, then disconnects for good. Pending requests reject with BUS_CLOSED. */
  close(): Promise<void>;
}
