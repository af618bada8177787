/**
 * How the agent speaks: envelopes out, checked messages in. What can't be decoded, or claims another identity, is dropped, counted and said
 * at most once a second. Not here: what is said.
 */
import type { Bus, BusMessage, RequestOptions, Subscription } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeEnvelope, envelopeOf } from '../../bus/codec.ts';
import { throttledLog, type Log } from '../../model/log.ts';

/** No message of a hub is larger. */
const LONGEST_MESSAGE = 64 * 1024 * 1024;

export class Channel {
  readonly bus: Bus;
  readonly by: string;
  /** Messages dropped since the start. */
  dropped = 0;
  readonly #say: ReturnType<typeof throttledLog>;

  constructor(bus: Bus, by: string, log: Log, monotonic: () => number) {
    this.bus = bus;
    this.by = by;
    this.#say = throttledLog(log, monotonic);
  }

  encode(body: unknown): Uint8Array {
    return encodeEnvelope(this.by, body);
  }

  /** Sends a request and reads the answer. Rejects as `Bus.request` does, and with BAD_MESSAGE. */
  async ask<T>(
    subject: string,
    body: unknown,
    read: (x: unknown) => T,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#ask(subject, this.encode(body), read, signal === undefined ? { timeoutMs } : { timeoutMs, signal });
  }

  /** The same with a body that is encoded already. */
  async askEncoded<T>(subject: string, body: Uint8Array, read: (x: unknown) => T, timeoutMs: number): Promise<T> {
    return this.#ask(subject, envelopeOf(this.by, body), read, { timeoutMs });
  }

  async #ask<T>(subject: string, data: Uint8Array, read: (x: unknown) => T, options: RequestOptions): Promise<T> {
    const answer = await this.bus.request(subject, data, options);
    return read(decodeBody(decodeEnvelope(answer.data, LONGEST_MESSAGE).body));
  }

  /** Best effort. */
  tell(subject: string, body: unknown): void {
    if (this.bus.connected) this.bus.publish(subject, this.encode(body));
  }

  /** Hears well-formed messages of `subject`; what is none is told to `dropped`. */
  hear<T>(
    subject: string,
    read: (x: unknown) => T,
    handle: (body: T, message: BusMessage) => void | Promise<void>,
    dropped: (error: unknown) => void = () => undefined,
  ): Subscription {
    return this.bus.subscribe(subject, (message) => {
      let body: T;
      try {
        body = read(decodeBody(decodeEnvelope(message.data, LONGEST_MESSAGE).body));
      } catch (error) {
        this.dropped++;
        dropped(error);
        const why = `agent: dropped a message on ${subject}: ${messageOf(error)}`;
        this.#say(subject, 'warn', why, { dropped: this.dropped });
        return undefined;
      }
      return handle(body, message);
    });
  }

  /** Says something, and what `error` is why, at most once a second per key. */
  say(key: string, message: string, error?: unknown): void {
    this.#say(key, 'warn', error === undefined ? message : `${message}: ${messageOf(error)}`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
