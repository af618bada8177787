/**
 * A connection that survives connections: the bus contract over links, one after the other. nats.js, which makes most of them, has defaults that are wrong for us in
 * many ways (nats-bus tests name each). Not here: dialling (dialler.ts, dial.ts), requests that wait (requests.ts).
 *
 * N1. No callback of nats.js can throw: that would silently end the library's read loop.
 * N2. Nothing is published while not connected: nats.js would queue it, and throw the queue away at the next dial.
 * N3. We dial, not nats.js: for ever, with credentials and address read anew each time, and all subscriptions are made again.
 * N4. What waits when a connection is lost is rejected at once, not by its timeout.
 * N5. A half-open connection is noticed by our own heartbeat within three intervals.
 */
import { randomBytes } from 'node:crypto';
import type { Status } from '@nats-io/transport-node';
import { PolaronError, assertNever } from '../../model/errors.ts';
import { throttledLog } from '../../model/log.ts';
import { isSaid } from '../../model/seldom.ts';
import { isLiteralSubject, isPattern, isSubject } from '../broker/subject.ts';
import type {
  BusHandler,
  BusMessage,
  BusStatus,
  Headers,
  PublishOptions,
  RequestOptions,
  Subscription,
} from '../bus.ts';
import { dialError } from './dial-error.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Delivery, Lines, Link } from './link.ts';
import { NatsMessage, encodeHeaders, isNoResponders } from './message.ts';
import type { ConnectionOptions, NatsBus } from './options.ts';
import { readRefusal } from './refusal.ts';
import { Requests } from './requests.ts';

interface Subscribed {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly handler: (message: Delivery) => void;
  end: (() => void) | undefined;
}

/** How long `close` waits for the server to have seen everything. */
const CLOSE_FLUSH_MS = 2_000;
/** A connection that lasted less is no reason to dial the next at once. */
const SETTLED_MS = 1_000;
/** Subjects that an answer may go to. A requester chooses it: without this check anyone could make the hub speak for him on another subject. */
const REPLY_PREFIXES = ['_INBOX.', '_R_.', '_GR_.'] as const;

export class Connection implements NatsBus {
  readonly identity: string;
  readonly counters = { handlerErrors: 0, refusals: 0, connects: 0 };
  readonly #options: ConnectionOptions;
  readonly #say: ReturnType<typeof throttledLog>;
  readonly #lines: Lines;
  readonly #requests: Requests;
  readonly #subscriptions = new Set<Subscribed>();
  readonly #listeners = new Set<(status: BusStatus) => void>();
  readonly #aborter = new AbortController();
  #link: Link | undefined;
  #heartbeat: Heartbeat | undefined;
  #maxPayload = 1_048_576;
  #linkedAt = 0;
  #closing: Promise<void> | undefined;

  constructor(options: ConnectionOptions, lines: Lines) {
    const { identity, log } = options;
    if (!isLiteralSubject(identity)) {
      throw new PolaronError('BAD_SUBJECT', `identity ${JSON.stringify(identity)} can't be part of a subject`);
    }
    this.identity = identity;
    this.#options = options;
    this.#say = throttledLog(log, () => performance.now());
    this.#lines = lines;
    this.#requests = new Requests(`_INBOX.${identity}.${randomBytes(12).toString('hex')}.`, () =>
      this.#holdOrRelease(),
    );
    this.#subscriptions.add({
      subject: `${this.#requests.inbox}*`,
      queue: undefined,
      handler: (message) => this.#requests.answered(this.#wrap(message), isNoResponders(message)),
      end: undefined,
    });
  }

  get connected(): boolean {
    return this.#link?.writable === true;
  }

  get maxPayload(): number {
    return this.#maxPayload;
  }

  get server(): string | undefined {
    return this.#link?.server.shown;
  }

  /** The first connection. */
  async start(): Promise<void> {
    let rounds = 0;
    const link = await this.#lines.untilLinked(0, true, this.#aborter.signal, (attempts) => {
      const error = dialError(attempts);
      if (error.code === 'AUTH_FAILED' || this.#options.waitOnFirstConnect === false) throw error;
      if (rounds++ % 30 === 0) this.#options.log('info', `${error.message}; dialling on`, { name: this.#options.name });
    });
    if (link !== undefined) this.#attach(link);
  }

  publish(subject: string, data: Uint8Array, options?: PublishOptions): boolean {
    this.#check(subject, options?.reply);
    return this.#send(subject, data, options?.reply, options?.headers);
  }

  reaches(prefix: string): boolean {
    return this.#link?.reaches(prefix) ?? false;
  }

  subscribe(subject: string, handler: BusHandler, options?: { readonly queue?: string }): Subscription {
    this.#refuseIfClosed();
    const queue = options?.queue;
    if (!isPattern(subject) || (queue !== undefined && !isSubject(queue))) {
      throw new PolaronError('BAD_SUBJECT', `can't subscribe to ${JSON.stringify(subject)}`, { details: { subject } });
    }
    const made: Subscribed = {
      subject,
      queue,
      handler: (message) => this.#handle(handler, message),
      end: undefined,
    };
    this.#subscriptions.add(made);
    if (this.#link !== undefined) this.#subscribeOn(this.#link, made);
    return {
      subject,
      unsubscribe: () => {
        this.#subscriptions.delete(made);
        made.end?.();
        made.end = undefined;
      },
    };
  }

  request(subject: string, data: Uint8Array, options: RequestOptions): Promise<BusMessage> {
    try {
      this.#check(subject, undefined);
      options.signal?.throwIfAborted();
      if (!this.connected) return Promise.reject(this.#disconnected(`request to ${subject}`));
      const { reply, answer } = this.#requests.add(subject, options.timeoutMs, options.signal);
      let sent = false;
      try {
        sent = this.#send(subject, data, reply, options.headers);
      } finally {
        if (!sent) this.#requests.forget(reply);
      }
      return sent ? answer : Promise.reject(this.#disconnected(`request to ${subject}`));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async flush(): Promise<void> {
    this.#refuseIfClosed();
    const link = this.#link;
    if (link === undefined) throw this.#disconnected('flush');
    const seen = link.flush();
    this.#holdOrRelease();
    try {
      await seen;
    } finally {
      this.#holdOrRelease();
    }
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  renew(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#lines.avoid(link.server);
    this.#lost(link);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const link = this.#link;
    if (link !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_FLUSH_MS);
      });
      await Promise.race([link.flush().catch(() => undefined), late]);
      clearTimeout(timer);
    }
    this.#aborter.abort();
    this.#link = undefined;
    this.#heartbeat?.stop();
    this.#requests.failAll('BUS_CLOSED', 'the bus connection was closed');
    link?.destroy();
    this.#emit({ type: 'closed' });
    this.#listeners.clear();
    this.#subscriptions.clear();
  }

  #attach(link: Link): void {
    if (this.#closing !== undefined) return link.destroy();
    this.#link = link;
    this.#linkedAt = performance.now();
    this.#maxPayload = link.maxPayload;
    this.counters.connects++;
    for (const subscribed of this.#subscriptions) this.#subscribeOn(link, subscribed);
    const lost = (): void => this.#lost(link);
    link.watch(lost, (status) => this.#status(link, status));
    this.#heartbeat = new Heartbeat(this.#options.pingIntervalMs ?? 10_000, () => link.flush(), lost);
    this.#holdOrRelease();
    this.#emit({ type: 'connected' });
  }

  #subscribeOn(link: Link, subscribed: Subscribed): void {
    subscribed.end = link.subscribe(subscribed.subject, subscribed.queue, subscribed.handler);
  }

  #status(link: Link, status: Status): void {
    if (this.#link !== link) return;
    if (status.type === 'error') {
      this.#serverError(status.error.message);
    } else if (status.type === 'ldm') {
      this.#options.log('info', 'the bus server is about to stop, going to another', { server: link.server.shown });
      this.#lines.avoid(link.server);
      this.#lost(link);
    }
  }

  #serverError(text: string): void {
    const refusal = readRefusal(text);
    switch (refusal.type) {
      case 'publish':
        this.#requests.refused({ subject: refusal.subject }, this.identity);
        break;
      case 'reply':
        this.#requests.refused({ reply: refusal.reply }, this.identity);
        break;
      case 'slow-consumer':
        this.#emit({ type: 'slow-consumer' });
        return;
      case 'subscribe':
      case 'other':
        break;
      default:
        return assertNever(refusal, 'refusal');
    }
    if (refusal.type === 'other') {
      this.#say('server', 'warn', 'bus server error', { reason: text });
    } else {
      this.counters.refusals++;
      this.#say('refused', 'warn', 'the bus refused a subject', { identity: this.identity, reason: text });
    }
    this.#emit({ type: 'refused', reason: text });
  }

  #lost(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#heartbeat?.stop();
    link.destroy();
    this.#requests.failAll('BUS_DISCONNECTED', 'the bus connection was lost');
    if (this.#closing !== undefined) return;
    this.#options.log('info', 'bus connection lost, dialling again', { server: link.server.shown });
    this.#emit({ type: 'disconnected' });
    const settled = performance.now() - this.#linkedAt > SETTLED_MS;
    this.#redial(settled ? 0 : 1).catch((error: unknown) => {
      this.#options.log('error', 'dialling the bus failed', { error: String(error) });
    });
  }

  async #redial(first: number): Promise<void> {
    const hold = this.#options.keepAlive !== false;
    let failures = 0;
    const link = await this.#lines.untilLinked(first, hold, this.#aborter.signal, (attempts) => {
      const error = dialError(attempts);
      if (isSaid(++failures))
        this.#options.log('info', `${error.message}; dialling on`, { name: this.#options.name, failures });
      if (error.code === 'AUTH_FAILED') this.#emit({ type: 'refused', reason: error.message });
    });
    if (link === undefined) return;
    this.#options.log('info', 'bus connected again', { server: link.server.shown });
    this.#attach(link);
  }

  /** With `keepAlive: false` the socket holds the process only while somebody waits for something. */
  #holdOrRelease(): void {
    if (this.#options.keepAlive !== false) return;
    this.#link?.hold(this.#requests.size > 0 || this.#link.flushing);
  }

  /** False when not connected. Raises PAYLOAD_TOO_LARGE, BAD_MESSAGE for headers that can't be written. */
  #send(subject: string, data: Uint8Array, reply: string | undefined, headers: Headers | undefined): boolean {
    const encoded = headers === undefined ? undefined : encodeHeaders(headers);
    const bytes = data.length + (encoded?.bytes ?? 0);
    if (bytes > this.#maxPayload) {
      throw new PolaronError(
        'PAYLOAD_TOO_LARGE',
        `message to ${subject} has ${bytes} bytes; the bus takes ${this.#maxPayload}`,
        { details: { subject, bytes, maxPayload: this.#maxPayload } },
      );
    }
    const link = this.#link;
    if (link?.writable !== true) return false;
    link.publish(subject, data, reply, encoded?.headers);
    return true;
  }

  #wrap(message: Delivery): NatsMessage {
    return new NatsMessage(message, this.#respond);
  }

  readonly #respond = (reply: string, data: Uint8Array, headers: Headers | undefined): void => {
    if (this.#closing !== undefined) return;
    if (!REPLY_PREFIXES.some((prefix) => reply.startsWith(prefix)) || !isLiteralSubject(reply)) {
      this.#say('reply', 'warn', 'an answer was asked for on a subject that is no inbox; not sent', { reply });
      return;
    }
    this.#send(reply, data, undefined, headers);
  };

  #handle(handler: BusHandler, message: Delivery): void {
    try {
      const result = handler(this.#wrap(message));
      if (result instanceof Promise) result.catch((error: unknown) => this.#handlerFailed(message.subject, error));
    } catch (error) {
      this.#handlerFailed(message.subject, error);
    }
  }

  #handlerFailed(subject: string, error: unknown): void {
    this.counters.handlerErrors++;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#say('handler', 'error', 'a bus handler failed', { subject, error: text });
  }

  #emit(status: BusStatus): void {
    for (const listener of this.#listeners) {
      try {
        listener(status);
      } catch (error) {
        this.#handlerFailed(`status ${status.type}`, error);
      }
    }
  }

  #check(subject: string, reply: string | undefined): void {
    this.#refuseIfClosed();
    if (!isLiteralSubject(subject) || (reply !== undefined && !isLiteralSubject(reply))) {
      const bad = isLiteralSubject(subject) ? reply : subject;
      throw new PolaronError('BAD_SUBJECT', `can't publish to ${JSON.stringify(bad)}`, { details: { subject: bad } });
    }
  }

  #refuseIfClosed(): void {
    if (this.#closing !== undefined) throw new PolaronError('BUS_CLOSED', 'the bus connection was closed');
  }

  #disconnected(what: string): PolaronError {
    return new PolaronError('BUS_DISCONNECTED', `${what}: the bus is not connected`);
  }
}
