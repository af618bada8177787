/**
 * An in-process broker that obeys bus/bus.ts: subscriptions with wildcards, requests, no-responders, disconnection, dropped messages.
 * Not here: permissions, queue groups (one subscriber per subject is enough for these tests).
 */
import type {
  Bus,
  BusHandler,
  BusMessage,
  BusStatus,
  Headers,
  RequestOptions,
  Subscription,
} from '../../../bus/bus.ts';
import { PolaronError } from '../../../model/errors.ts';

interface Sub {
  readonly bus: FakeBus;
  readonly tokens: readonly string[];
  readonly handler: BusHandler;
}

export class FakeBroker {
  /** While false, dials fail and nothing is connected. */
  up = true;
  /** Messages for which it says true are lost. */
  drop: (subject: string) => boolean = () => false;
  readonly maxPayload: number;
  readonly subs = new Set<Sub>();
  readonly buses = new Set<FakeBus>();
  dials = 0;

  constructor(maxPayload = 1024 * 1024) {
    this.maxPayload = maxPayload;
  }

  connect(identity: string): FakeBus {
    this.dials++;
    if (!this.up) throw new PolaronError('NO_HUB', 'connection refused');
    const bus = new FakeBus(this, identity);
    this.buses.add(bus);
    return bus;
  }

  /** Cuts every connection, the hub's excepted when it is given. */
  cut(except?: Bus): void {
    for (const bus of this.buses) if (bus !== except) bus.lose();
  }

  /** Returns how many got it. */
  deliver(subject: string, data: Uint8Array, reply: string | undefined, headers: Headers | undefined): number {
    if (data.length > this.maxPayload) {
      throw new PolaronError('PAYLOAD_TOO_LARGE', `${data.length} bytes to ${subject}; at most ${this.maxPayload}`);
    }
    const matching = [...this.subs].filter((sub) => matches(sub.tokens, subject.split('.')));
    if (this.drop(subject)) return matching.length;
    for (const sub of matching) {
      setImmediate(() => {
        if (!this.subs.has(sub)) return;
        const message: BusMessage = {
          subject,
          data,
          ...(reply === undefined ? {} : { reply }),
          header: (name) => headers?.[name],
          respond: (answer) => {
            if (reply !== undefined && sub.bus.connected) this.deliver(reply, answer, undefined, undefined);
          },
        };
        Promise.resolve(sub.handler(message)).catch((error: unknown) => {
          process.emitWarning(`a handler of the fake bus failed: ${String(error)}`);
        });
      });
    }
    return matching.length;
  }
}

export class FakeBus implements Bus {
  readonly identity: string;
  connected = true;
  readonly #broker: FakeBroker;
  readonly #listeners = new Set<(status: BusStatus) => void>();
  readonly #pending = new Set<(error: unknown) => void>();
  #n = 0;
  closed = false;

  constructor(broker: FakeBroker, identity: string) {
    this.#broker = broker;
    this.identity = identity;
  }

  get maxPayload(): number {
    return this.#broker.maxPayload;
  }

  reaches(): boolean {
    return true;
  }

  publish(subject: string, data: Uint8Array): boolean {
    if (!this.connected) return false;
    this.#broker.deliver(subject, data, undefined, undefined);
    return true;
  }

  subscribe(subject: string, handler: BusHandler): Subscription {
    const sub: Sub = { bus: this, tokens: subject.split('.'), handler };
    this.#broker.subs.add(sub);
    return { subject, unsubscribe: () => this.#broker.subs.delete(sub) };
  }

  request(subject: string, data: Uint8Array, options: RequestOptions): Promise<BusMessage> {
    return new Promise((resolve, reject) => {
      const inbox = `_INBOX.${this.identity}.${process.hrtime.bigint()}.${this.#n++}`;
      const answer = this.subscribe(inbox, (message) => end(() => resolve(message)));
      const timer = setTimeout(() => fail('REQUEST_TIMEOUT', 'no answer'), options.timeoutMs);
      const aborted = (): void => end(() => reject(options.signal?.reason));
      const lost = (error: unknown): void => end(() => reject(error));
      const end = (finish: () => void): void => {
        answer.unsubscribe();
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', aborted);
        this.#pending.delete(lost);
        finish();
      };
      const fail = (code: 'REQUEST_TIMEOUT' | 'NO_RESPONDERS', why: string): void =>
        end(() => reject(new PolaronError(code, `${subject}: ${why}`)));
      this.#pending.add(lost);
      options.signal?.addEventListener('abort', aborted, { once: true });
      if (!this.connected) lost(new PolaronError(this.closed ? 'BUS_CLOSED' : 'BUS_DISCONNECTED', 'not connected'));
      else if (this.#broker.deliver(subject, data, inbox, options.headers) === 0)
        fail('NO_RESPONDERS', 'nobody listens');
    });
  }

  async flush(): Promise<void> {
    await Promise.resolve();
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  lose(): void {
    this.#gone('BUS_DISCONNECTED', { type: 'disconnected' });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#gone('BUS_CLOSED', { type: 'closed' });
    await Promise.resolve();
  }

  #gone(code: 'BUS_DISCONNECTED' | 'BUS_CLOSED', status: BusStatus): void {
    this.connected = false;
    this.#broker.buses.delete(this);
    for (const sub of this.#broker.subs) if (sub.bus === this) this.#broker.subs.delete(sub);
    for (const lost of this.#pending) lost(new PolaronError(code, 'the connection was lost'));
    for (const listener of this.#listeners) listener(status);
  }
}

function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [i, token] of pattern.entries()) {
    if (token === '>') return subject.length > i;
    if (token !== '*' && token !== subject[i]) return false;
  }
  return pattern.length === subject.length;
}
