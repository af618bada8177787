/**
 * One connection: its handshake, its subscriptions, its limits, and what it writes.
 * Not here: who gets a message (router.ts), cutting bytes into operations (parser.ts), sockets and TLS (listener.ts).
 *
 * C1. Before a good CONNECT, nothing is carried out when authentication is asked for.
 * C2. After `end` or `destroy` nothing is delivered to it or taken from it.
 * C3. Who sends to a congested client is not read for a few ms at a time: a burst is slowed down before it makes a slow consumer, and a stuck
 *     receiver costs its senders little.
 */
import type { Duplex } from 'node:stream';
import type { Buffer } from 'node:buffer';
import type { Authenticator } from '../credentials.ts';
import { readConnect } from './connect-fields.ts';
import type { BrokerLimits } from './limits.ts';
import type { Member, MemberSubscription, Traffic } from './member.ts';
import { Outbox } from './outbox.ts';
import type { OperationSink } from './parser.ts';
import { Parser } from './parser.ts';
import { PermissionCheck } from './permission-check.ts';
import { isLiteralSubject, isPattern } from './subject.ts';

/** What a client needs of the broker. */
export interface ClientHost extends Traffic {
  readonly limits: BrokerLimits;
  readonly auth: Authenticator | 'none';
  monotonic(): number;
  after(delayMs: number, callback: () => void): void;
  /** It has bytes to write at the end of this turn. */
  dirty(client: Client): void;
  /** Is somebody of this name or identity shut out at the moment? */
  isSevered(name: string, identity: string): boolean;
  left(client: Client, reason: string): void;
}

const STALL_MS = 5;

export class Client implements Member, OperationSink {
  readonly id: number;
  readonly subscriptions = new Map<string, MemberSubscription>();
  identity = '';
  name = '';
  echo = true;
  headers = false;
  noResponders = false;
  permissions: PermissionCheck | undefined;
  /** PINGs sent and not answered by any byte. */
  pingsOut = 0;
  isDirty = false;
  /** So much waits for it that those who send to it are slowed down (C3). */
  congested = false;
  closed = false;
  /** Nothing is read or delivered any more. */
  ending = false;
  connected = false;
  readonly #host: ClientHost;
  readonly #socket: Duplex;
  readonly #parser: Parser;
  readonly #outbox = new Outbox();
  #verbose = true;
  #stalled = false;
  #pedantic = true;

  constructor(id: number, socket: Duplex, host: ClientHost) {
    this.id = id;
    this.#socket = socket;
    this.#host = host;
    this.#parser = new Parser(this, host.limits);
  }

  /** Bytes waiting for this client, here and in its socket. */
  get pendingBytes(): number {
    return this.#outbox.bytes + this.#socket.writableLength;
  }

  /** Bytes from the socket. */
  feed(chunk: Buffer): void {
    if (this.ending) return;
    this.pingsOut = 0;
    const error = this.#parser.feed(chunk);
    if (error !== undefined) this.end(error);
  }

  connect(json: string): void {
    const fields = readConnect(json);
    if (fields === undefined) return this.end('Parser Error');
    const accepted = this.#host.auth === 'none' ? undefined : this.#host.auth(fields);
    if (this.#host.auth !== 'none' && accepted === undefined) {
      this.identity = fields.user ?? '';
      return this.end('Authorization Violation');
    }
    this.name = fields.name;
    this.identity = accepted?.identity ?? fields.name;
    if (this.#host.isSevered(this.name, this.identity)) return this.destroy('severed');
    this.permissions =
      accepted === undefined ? undefined : new PermissionCheck(accepted.permissions, () => this.#host.monotonic());
    this.echo = fields.echo;
    this.headers = fields.headers;
    this.noResponders = fields.noResponders && fields.headers;
    this.#verbose = fields.verbose;
    this.#pedantic = fields.pedantic;
    this.connected = true;
    this.#ok();
  }

  publish(subject: string, reply: string, headerBytes: number, buffer: Buffer, start: number, end: number): void {
    if (this.ending || this.#mustConnectFirst()) return;
    if (headerBytes >= 0 && !this.headers && this.connected) return this.end('Message Headers Not Supported');
    if (this.#pedantic && !isLiteralSubject(subject)) return this.error('Invalid Publish Subject');
    if (this.permissions?.mayPublish(subject) === false) {
      return this.error(`Permissions Violation for Publish to "${subject}"`);
    }
    this.#ok();
    this.#host.published(this, subject, reply, headerBytes, buffer, start, end);
  }

  subscribe(subject: string, queue: string, sid: string): void {
    if (this.ending || this.#mustConnectFirst()) return;
    if (!isPattern(subject)) return this.error('Invalid Subject');
    if (this.permissions?.maySubscribe(subject, queue) === false) {
      const using = queue === '' ? '' : ` using queue "${queue}"`;
      return this.error(`Permissions Violation for Subscription to "${subject}"${using}`);
    }
    if (!this.subscriptions.has(sid)) {
      if (this.subscriptions.size >= this.#host.limits.maxSubscriptions) {
        return this.error('Maximum Subscriptions Exceeded');
      }
      const partlyDenied = this.permissions?.isPartlyDenied(subject) ?? false;
      const made = { member: this, subject, queue, sid, partlyDenied, delivered: 0, max: 0, closed: false };
      this.subscriptions.set(sid, made);
      this.#host.subscribed(made);
    }
    this.#ok();
  }

  unsubscribe(sid: string, max: number): void {
    if (this.ending || this.#mustConnectFirst()) return;
    const subscription = this.subscriptions.get(sid);
    if (subscription !== undefined) {
      subscription.max = max;
      if (max === 0 || subscription.delivered >= max) this.drop(subscription);
    }
    this.#ok();
  }

  ping(): void {
    if (this.ending || this.#mustConnectFirst()) return;
    this.send('PONG\r\n');
  }

  pong(): void {
    // Any byte that arrives has already reset `pingsOut`.
  }

  /** Takes a subscription away from the client and from the broker. */
  drop(subscription: MemberSubscription): void {
    if (subscription.closed) return;
    subscription.closed = true;
    this.subscriptions.delete(subscription.sid);
    this.#host.unsubscribed(subscription);
  }

  send(text: string): void {
    if (this.closed) return;
    this.#outbox.text(text);
    this.#touched();
  }

  /** A message for one of its subscriptions; headers are left out for a client that can't read them. */
  deliver(
    sid: string,
    subject: string,
    reply: string,
    headerBytes: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.ending) return;
    const to = reply === '' ? `${subject} ${sid} ` : `${subject} ${sid} ${reply} `;
    if (headerBytes < 0) {
      this.#outbox.message(`MSG ${to}${end - start}\r\n`, buffer, start, end);
    } else if (this.headers) {
      this.#outbox.message(`HMSG ${to}${headerBytes} ${end - start}\r\n`, buffer, start, end);
    } else {
      this.#outbox.message(`MSG ${to}${end - start - headerBytes}\r\n`, buffer, start + headerBytes, end);
    }
    this.#touched();
  }

  error(text: string): void {
    this.send(`-ERR '${text}'\r\n`);
  }

  /** Writes what is pending. */
  flush(): void {
    this.isDirty = false;
    if (this.closed || this.#outbox.bytes === 0) return;
    this.#outbox.flush(this.#socket);
    const waiting = this.#socket.writableLength;
    this.congested = waiting > this.#host.limits.maxPending / 8;
    if (waiting > this.#host.limits.maxPending) {
      // Where the bytes can still go, they should say why.
      this.error('Slow Consumer');
      this.#outbox.flush(this.#socket);
      this.destroy('Slow Consumer');
    }
  }

  /** The socket took what was waiting. */
  drained(): void {
    this.congested = false;
  }

  /** Reads nothing from it for a moment. */
  stall(): void {
    if (this.#stalled || this.ending) return;
    this.#stalled = true;
    this.#socket.pause();
    this.#host.after(STALL_MS, () => {
      this.#stalled = false;
      if (!this.ending) this.#socket.resume();
    });
  }

  /** Says why, then closes; the socket is destroyed when the peer has read it, or by the broker a little later. */
  end(reason: string): void {
    if (this.ending) return;
    this.error(reason);
    this.#leave();
    this.flush();
    this.#socket.end();
    this.#host.left(this, reason);
  }

  /** Closes at once. */
  destroy(reason: string): void {
    if (this.closed) return;
    const before = this.ending;
    this.#leave();
    this.closed = true;
    this.#socket.destroy();
    if (!before) this.#host.left(this, reason);
  }

  #leave(): void {
    this.ending = true;
    this.#parser.stop();
    for (const subscription of this.subscriptions.values()) {
      subscription.closed = true;
      this.#host.unsubscribed(subscription);
    }
    this.subscriptions.clear();
  }

  #touched(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.#host.dirty(this);
  }

  #ok(): void {
    if (this.#verbose) this.send('+OK\r\n');
  }

  #mustConnectFirst(): boolean {
    if (this.connected || this.#host.auth === 'none') return false;
    this.end('Authorization Violation');
    return true;
  }
}
