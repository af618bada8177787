/**
 * A link inside the broker's own process: what it publishes goes straight to the router, what is for it waits for the end of the turn. Nothing
 * lies in between that could be lost.
 * It may do everything: this process holds the secret that all credentials are made of, and partitions other than silent ones don't reach it.
 *
 * I1. Nothing is handed over inside a call of `publish`: who publishes is never called back in the middle of it.
 * I2. What is for it is handed over in the order in which it was published, a flush after all of it.
 */
import type { MsgHdrs } from '@nats-io/transport-node';
import { MsgHdrsImpl } from '@nats-io/transport-node';
import { PolaronError } from '../../model/errors.ts';
import type { Delivery, Lines, Link } from '../nats/link.ts';
import type { ServerAddress } from '../nats/server-address.ts';
import type { Member, MemberSubscription, Traffic } from './member.ts';

interface Local extends MemberSubscription {
  readonly handler: (message: Delivery) => void;
}

/** A broker that can be joined from within. */
export interface Joinable extends Traffic {
  readonly limits: { readonly maxPayload: number };
  /** Resolves when it has been closed. */
  readonly closed: Promise<void>;
}

class LocalDelivery implements Delivery {
  readonly to: Local;
  readonly subject: string;
  readonly reply: string;
  readonly data: Uint8Array;
  readonly #head: Uint8Array | undefined;

  constructor(to: Local, subject: string, reply: string, head: Uint8Array | undefined, data: Uint8Array) {
    this.to = to;
    this.subject = subject;
    this.reply = reply;
    this.#head = head;
    this.data = data;
  }

  get headers(): MsgHdrs | undefined {
    return this.#head === undefined ? undefined : MsgHdrsImpl.decode(this.#head);
  }
}

const view = (of: Uint8Array, start: number, end: number): Uint8Array =>
  new Uint8Array(of.buffer, of.byteOffset + start, end - start);

export class LocalLink implements Link, Member {
  readonly name: string;
  readonly identity: string;
  readonly echo = true;
  readonly noResponders = true;
  readonly permissions = undefined;
  readonly congested = false;
  readonly server: ServerAddress;
  readonly maxPayload: number;
  readonly discovered: readonly string[] = [];
  readonly #broker: Joinable;
  readonly #subscriptions = new Map<string, Local>();
  #waiting: (LocalDelivery | (() => void))[] = [];
  readonly #flushes = new Set<() => void>();
  #lost: (() => void) | undefined;
  #planned = false;
  #down = false;
  #sids = 0;

  constructor(broker: Joinable, server: ServerAddress, name: string, identity: string) {
    this.#broker = broker;
    this.server = server;
    this.name = name;
    this.identity = identity;
    this.maxPayload = broker.limits.maxPayload;
    void broker.closed.then(() => {
      this.destroy();
      this.#lost?.();
    });
  }

  get writable(): boolean {
    return !this.#down;
  }

  get flushing(): boolean {
    return this.#flushes.size > 0;
  }

  watch(lost: () => void): void {
    this.#lost = lost;
    if (this.#down) queueMicrotask(lost);
  }

  publish(subject: string, data: Uint8Array, reply: string | undefined, headers: MsgHdrs | undefined): void {
    if (this.#down) return;
    if (!(headers instanceof MsgHdrsImpl)) {
      this.#broker.published(this, subject, reply ?? '', -1, data, 0, data.length);
      return;
    }
    const head = headers.encode();
    const whole = Buffer.concat([head, data]);
    this.#broker.published(this, subject, reply ?? '', head.length, whole, 0, whole.length);
  }

  reaches(prefix: string): boolean {
    return this.#broker.reaches(prefix);
  }

  subscribe(subject: string, queue: string | undefined, handler: (message: Delivery) => void): () => void {
    const sid = `${++this.#sids}`;
    const made: Local = {
      member: this,
      subject,
      queue: queue ?? '',
      sid,
      partlyDenied: false,
      delivered: 0,
      max: 0,
      closed: false,
      handler,
    };
    this.#subscriptions.set(sid, made);
    this.#broker.subscribed(made);
    return () => this.drop(made);
  }

  deliver(
    sid: string,
    subject: string,
    reply: string,
    headerBytes: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const to = this.#subscriptions.get(sid);
    if (to === undefined) return;
    const from = headerBytes < 0 ? start : start + headerBytes;
    const head = headerBytes < 0 ? undefined : view(buffer, start, from);
    this.#later(new LocalDelivery(to, subject, reply, head, view(buffer, from, end)));
  }

  drop(subscription: MemberSubscription): void {
    if (subscription.closed) return;
    subscription.closed = true;
    this.#subscriptions.delete(subscription.sid);
    this.#broker.unsubscribed(subscription);
  }

  /** What this process sends is bounded where it is made. */
  stall(): void {
    // nothing to hold back
  }

  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        this.#flushes.delete(fail);
        reject(new PolaronError('BUS_DISCONNECTED', 'flush: the broker was closed'));
      };
      if (this.#down) return fail();
      this.#flushes.add(fail);
      this.#later(() => {
        if (this.#flushes.delete(fail)) resolve();
      });
    });
  }

  /** There is no socket: the broker's keeps the process alive. */
  hold(): void {
    // nothing to hold
  }

  destroy(): void {
    if (this.#down) return;
    this.#down = true;
    for (const subscription of this.#subscriptions.values()) this.drop(subscription);
    for (const fail of this.#flushes) fail();
  }

  #later(what: LocalDelivery | (() => void)): void {
    this.#waiting.push(what);
    if (this.#planned) return;
    this.#planned = true;
    process.nextTick(this.#handOver);
  }

  readonly #handOver = (): void => {
    this.#planned = false;
    const now = this.#waiting;
    this.#waiting = [];
    for (const what of now) {
      if (typeof what === 'function') what();
      else if (!what.to.closed) what.to.handler(what);
    }
  };
}

/** The only link there is to a broker in this process; when that is closed there is none any more. */
export function localLines(broker: Joinable, server: ServerAddress, name: string, identity: string): Lines {
  let link: LocalLink | undefined;
  return {
    untilLinked: () => {
      if (link !== undefined) return Promise.resolve(undefined);
      link = new LocalLink(broker, server, name, identity);
      return Promise.resolve(link);
    },
    avoid: () => undefined,
  };
}
