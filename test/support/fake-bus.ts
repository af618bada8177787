/** An in-memory bus that obeys the contract: several connections, wildcards at the end of a subject, requests with one answer, lost connections. */
import { type Bus, type BusHandler, type BusMessage, type BusStatus, type RequestOptions } from '../../bus/bus.ts';
import { PolaronError } from '../../model/errors.ts';

interface Listener {
  readonly subject: string;
  readonly connection: FakeBus;
  readonly handler: BusHandler;
}

/** What may happen to a message on its way: `drop` loses it. */
export type Fault = (subject: string, from: FakeBus) => 'drop' | undefined;

export class FakeNetwork {
  readonly listeners = new Set<Listener>();
  /** Of requests under way. */
  readonly timeouts = new Set<NodeJS.Timeout>();
  fault: Fault = () => undefined;

  connect(identity: string): FakeBus {
    return new FakeBus(this, identity);
  }

  /** The test is over: requests that nobody answered don't fail in the midst of another one. */
  close(): void {
    for (const timeout of this.timeouts) clearTimeout(timeout);
    this.timeouts.clear();
  }

  /** Delivers to all who listen; false when nobody does. */
  deliver(subject: string, data: Uint8Array, from: FakeBus, reply?: string): boolean {
    const to = [...this.listeners].filter((one) => one.connection.connected && matches(one.subject, subject));
    if (to.length === 0) return false;
    if (this.fault(subject, from) === 'drop') return true;
    // the receiver never shares memory with the sender
    const copy = Uint8Array.from(data);
    for (const { connection, handler } of to) {
      const message: BusMessage = {
        subject,
        data: copy,
        ...(reply === undefined ? {} : { reply }),
        header: () => undefined,
        respond: (answer) => {
          if (reply !== undefined && connection.connected) this.deliver(reply, answer, connection);
        },
      };
      setImmediate(() => void handler(message));
    }
    return true;
  }
}

const matches = (pattern: string, subject: string): boolean =>
  pattern.endsWith('.>') ? subject.startsWith(pattern.slice(0, -1)) : pattern === subject;

export class FakeBus implements Bus {
  readonly identity: string;
  readonly maxPayload: number = 1024 * 1024;
  connected = true;
  readonly #network: FakeNetwork;
  readonly #status = new Set<(status: BusStatus) => void>();
  readonly #waiting = new Set<(error: PolaronError) => void>();
  #requests = 0;

  constructor(network: FakeNetwork, identity: string) {
    this.#network = network;
    this.identity = identity;
  }

  reaches(_prefix: string): boolean {
    return true;
  }

  publish(subject: string, data: Uint8Array): boolean {
    if (data.length > this.maxPayload) throw new PolaronError('PAYLOAD_TOO_LARGE', `${data.length} bytes`);
    if (this.connected) this.#network.deliver(subject, data, this);
    return this.connected;
  }

  subscribe(subject: string, handler: BusHandler): { subject: string; unsubscribe(): void } {
    const listener = { subject, connection: this, handler };
    this.#network.listeners.add(listener);
    return { subject, unsubscribe: () => this.#network.listeners.delete(listener) };
  }

  request(subject: string, data: Uint8Array, options: RequestOptions): Promise<BusMessage> {
    return new Promise((resolve, reject) => {
      if (!this.connected) throw new PolaronError('BUS_DISCONNECTED', 'not connected');
      if (data.length > this.maxPayload) throw new PolaronError('PAYLOAD_TOO_LARGE', `${data.length} bytes`);
      const reply = `_INBOX.${this.identity}.${++this.#requests}`;
      const end = (): void => {
        clearTimeout(timer);
        this.#network.timeouts.delete(timer);
        subscription.unsubscribe();
        this.#waiting.delete(fail);
      };
      const fail = (error: unknown): void => {
        end();
        reject(error);
      };
      const subscription = this.subscribe(reply, (message) => {
        end();
        resolve(message);
      });
      const timer = setTimeout(() => fail(new PolaronError('REQUEST_TIMEOUT', subject)), options.timeoutMs);
      this.#network.timeouts.add(timer);
      options.signal?.addEventListener('abort', () => fail(options.signal?.reason), { once: true });
      this.#waiting.add(fail);
      if (!this.#network.deliver(subject, data, this, reply)) fail(new PolaronError('NO_RESPONDERS', subject));
    });
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    this.#status.add(listener);
    return () => this.#status.delete(listener);
  }

  close(): Promise<void> {
    this.disconnect();
    return Promise.resolve();
  }

  disconnect(): void {
    this.connected = false;
    for (const fail of this.#waiting) fail(new PolaronError('BUS_DISCONNECTED', 'the connection was lost'));
    for (const listener of this.#status) listener({ type: 'disconnected' });
  }

  reconnect(): void {
    this.connected = true;
    for (const listener of this.#status) listener({ type: 'connected' });
  }
}
