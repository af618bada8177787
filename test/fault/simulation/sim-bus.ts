/**
 * The bus contract on simulated time: messages take a while, arrive in order from one client to another, and suffer the faults that are going on.
 * One broker; a client that dies, is severed, or whose broker is down is disconnected, a silent one only thinks that it isn't.
 * Not here: which faults go on when (faults.ts), what the messages say (wire.ts).
 */
import type { Timer } from '../../../model/clock.ts';
import { PolaronError } from '../../../model/errors.ts';
import type {
  Bus,
  BusHandler,
  BusMessage,
  BusStatus,
  PublishOptions,
  RequestOptions,
  Subscription,
} from '../../../bus/bus.ts';
import type { SimProcess } from './machine.ts';
import type { Rng } from './random.ts';
import type { Timeline } from './timeline.ts';

export const netFaults = ['drop', 'duplicate', 'delay', 'reorder', 'garble'] as const;
export type NetFault = (typeof netFaults)[number];

/** Something that happens to some of the messages from or to a client; of all clients when none is named. */
export interface Weather {
  readonly kind: NetFault;
  readonly rate: number;
  readonly ms: number;
  readonly client?: string;
}

export interface Tap {
  sent(from: SimBus, subject: string, data: Uint8Array, reply: string | undefined): void;
  arrived(to: SimBus, subject: string, data: Uint8Array, reply: string | undefined): void;
  fault(kind: NetFault): void;
}

interface Listener {
  readonly subject: string;
  readonly bus: SimBus;
  readonly handler: BusHandler;
}

interface Asked {
  readonly resolve: (message: BusMessage) => void;
  readonly fail: (error: unknown) => void;
}

const MAX_PAYLOAD = 1024 * 1024;
const LEAST_MS = 0.2;
const SPREAD_MS = 1.3;
/** Until a client has dialled again. */
const DIAL_MS = 20;
const DIAL_SPREAD_MS = 200;

export class Network {
  readonly timeline: Timeline;
  readonly #random: Rng;
  readonly #tap: Tap;
  readonly #clients = new Set<SimBus>();
  readonly #exact = new Map<string, Listener[]>();
  readonly #wild: Listener[] = [];
  readonly weather = new Set<Weather>();
  #up = true;
  #connections = 0;

  constructor(timeline: Timeline, random: Rng, tap: Tap) {
    this.timeline = timeline;
    this.#random = random;
    this.#tap = tap;
  }

  get up(): boolean {
    return this.#up;
  }
  /** The broker dies, and comes back. */
  set up(up: boolean) {
    this.#up = up;
    for (const client of [...this.#clients])
      if (up) this.dial(client);
      else client.disconnected();
  }

  connect(process: SimProcess, identity: string, name: string): SimBus {
    const client = new SimBus(this, process, identity, name, ++this.#connections);
    this.#clients.add(client);
    process.onEnd(() => {
      client.disconnected();
      this.#clients.delete(client);
    });
    client.connected = this.#up;
    return client;
  }

  clientsNamed(name: string): readonly SimBus[] {
    return [...this.#clients].filter((client) => client.name === name);
  }

  dial(client: SimBus): void {
    const wait = DIAL_MS + this.#random.fraction() * DIAL_SPREAD_MS;
    this.timeline.after(wait, () => {
      if (this.#up && client.process.alive && !client.severed && this.#clients.has(client)) client.connectedAgain();
    });
  }

  forget(client: SimBus): void {
    this.#clients.delete(client);
  }

  listen(listener: Listener): () => void {
    const { subject } = listener;
    let list = this.#wild;
    if (!subject.endsWith('.>')) {
      list = this.#exact.get(subject) ?? [];
      this.#exact.set(subject, list);
    }
    list.push(listener);
    return () => {
      const at = list.indexOf(listener);
      if (at >= 0) list.splice(at, 1);
    };
  }

  /** False when nobody listens there, as far as the broker knows. */
  send(from: SimBus, subject: string, data: Uint8Array, reply: string | undefined): boolean {
    this.#tap.sent(from, subject, data, reply);
    if (from.silent) return true;
    // the receiver never shares memory with the sender
    const bytes = Uint8Array.from(data);
    let heard = false;
    if (subject.startsWith('_INBOX.')) {
      for (const client of this.#clients) {
        if (!subject.startsWith(client.inbox)) continue;
        this.#carry(from, client, subject, bytes, undefined, (message) => client.answered(message));
      }
      return true;
    }
    const deliver = (listener: Listener): void => {
      if (!listener.bus.connected) return;
      heard = true;
      this.#carry(from, listener.bus, subject, bytes, reply, (message) => {
        const list = listener.subject === subject ? this.#exact.get(subject) : this.#wild;
        if (list?.includes(listener) === true) void listener.handler(message);
      });
    };
    for (const listener of [...(this.#exact.get(subject) ?? [])]) deliver(listener);
    for (const listener of [...this.#wild]) if (subject.startsWith(listener.subject.slice(0, -1))) deliver(listener);
    return heard;
  }

  latency(): number {
    return LEAST_MS + this.#random.fraction() * SPREAD_MS;
  }

  #carry(
    from: SimBus,
    to: SimBus,
    subject: string,
    data: Uint8Array,
    reply: string | undefined,
    hand: (message: BusMessage) => void,
  ): void {
    let copies = 1;
    let late = 0;
    let orderly = true;
    let bytes = data;
    for (const { kind, rate, ms, client } of this.weather) {
      if (client !== undefined && client !== from.name && client !== to.name) continue;
      if (!this.#random.chance(rate) || from.calm) continue;
      if (kind === 'garble') {
        bytes = garbled(subject, data) ?? data;
        if (bytes !== data) this.#tap.fault(kind);
        continue;
      }
      this.#tap.fault(kind);
      if (kind === 'drop') copies = 0;
      else if (kind === 'duplicate') copies *= 2;
      else late += this.#random.fraction() * ms;
      if (kind === 'reorder') orderly = false;
    }
    const { session } = to;
    for (let copy = 0; copy < copies; copy++) {
      let at = this.timeline.now + this.latency() + late;
      if (orderly && copy === 0) at = to.inOrder(from, at);
      else if (copy > 0) at += this.#random.fraction() * 50;
      this.timeline.after(at - this.timeline.now, () => {
        if (!to.connected || to.session !== session || to.silent || !to.process.alive) return;
        this.#tap.arrived(to, subject, bytes, reply);
        hand({
          subject,
          data: bytes,
          ...(reply === undefined ? {} : { reply }),
          header: () => undefined,
          respond: (answer) => {
            if (reply !== undefined && to.connected && to.process.alive) this.send(to, reply, answer, undefined);
          },
        });
      });
    }
  }
}

export class SimBus implements Bus {
  readonly identity: string;
  /** Of the client in plans and histories. */
  readonly name: string;
  readonly maxPayload = MAX_PAYLOAD;
  readonly process: SimProcess;
  readonly inbox: string;
  connected = true;
  /** Its messages vanish both ways. */
  silent = false;
  /** What it sends meets no fault of the network. */
  calm = false;
  severed = false;
  /** Counts its connections: what was under way to an earlier one is lost. */
  session = 0;
  readonly #network: Network;
  readonly #arrivals = new Map<SimBus, number>();
  readonly #asked = new Map<string, Asked>();
  readonly #listeners = new Set<(status: BusStatus) => void>();
  #requests = 0;
  #closed = false;

  constructor(network: Network, process: SimProcess, identity: string, name: string, connection: number) {
    this.#network = network;
    this.process = process;
    this.identity = identity;
    this.name = name;
    this.inbox = `_INBOX.${identity}.c${connection}.`;
  }

  reaches(): boolean {
    return true;
  }

  publish(subject: string, data: Uint8Array, options?: PublishOptions): boolean {
    if (!this.process.alive || this.#closed) return false;
    if (data.length > MAX_PAYLOAD) throw new PolaronError('PAYLOAD_TOO_LARGE', `${data.length} bytes`);
    if (this.connected) this.#network.send(this, subject, data, options?.reply);
    return this.connected;
  }

  subscribe(subject: string, handler: BusHandler): Subscription {
    const unsubscribe = this.#network.listen({ subject, bus: this, handler });
    this.process.onEnd(unsubscribe);
    return { subject, unsubscribe };
  }

  request(subject: string, data: Uint8Array, { timeoutMs, signal }: RequestOptions): Promise<BusMessage> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (!this.connected || this.#closed) throw new PolaronError('BUS_DISCONNECTED', 'not connected');
      if (data.length > MAX_PAYLOAD) throw new PolaronError('PAYLOAD_TOO_LARGE', `${data.length} bytes`);
      const reply = `${this.inbox}${++this.#requests}`;
      const end = (): void => {
        timer.cancel();
        this.#asked.delete(reply);
        signal?.removeEventListener('abort', aborted);
      };
      const fail = (error: unknown): void => {
        end();
        reject(error);
      };
      const aborted = (): void => fail(signal?.reason);
      const timer: Timer = this.process.clock.after(timeoutMs, () =>
        fail(new PolaronError('REQUEST_TIMEOUT', subject)),
      );
      signal?.addEventListener('abort', aborted, { once: true });
      this.#asked.set(reply, {
        resolve: (message) => {
          end();
          resolve(message);
        },
        fail,
      });
      if (this.#network.send(this, subject, data, reply)) return;
      const { session } = this;
      this.#network.timeline.after(this.#network.latency(), () => {
        if (this.session === session && !this.silent)
          this.#asked.get(reply)?.fail(new PolaronError('NO_RESPONDERS', subject));
      });
    });
  }

  answered(message: BusMessage): void {
    this.#asked.get(message.subject)?.resolve(message);
  }

  flush(): Promise<void> {
    return this.connected
      ? Promise.resolve()
      : Promise.reject(new PolaronError('BUS_DISCONNECTED', 'the connection was lost'));
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.disconnected();
    this.#closed = true;
    this.#network.forget(this);
  }

  disconnected(): void {
    if (!this.connected) return;
    this.connected = false;
    this.session++;
    this.#arrivals.clear();
    if (!this.process.alive) return;
    for (const { fail } of [...this.#asked.values()])
      fail(new PolaronError('BUS_DISCONNECTED', 'the connection was lost'));
    for (const listener of this.#listeners) listener({ type: 'disconnected' });
  }

  connectedAgain(): void {
    if (this.connected || this.#closed) return;
    this.connected = true;
    for (const listener of this.#listeners) listener({ type: 'connected' });
  }

  /** When a message arrives that may not overtake those before it. */
  inOrder(from: SimBus, at: number): number {
    const time = Math.max(at, this.#arrivals.get(from) ?? 0);
    this.#arrivals.set(from, time);
    return time;
  }
}

/** A short text of 16 hexadecimal digits, as the values of plans are. */
const VALUE = /\xb0[0-9a-f]{16}(?![0-9a-f])/;

/** A reported outcome in which one letter of a value is another; undefined when there is none. */
function garbled(subject: string, data: Uint8Array): Uint8Array | undefined {
  if (!subject.endsWith('.done')) return undefined;
  const at = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1').search(VALUE);
  if (at < 0) return undefined;
  const bytes = Uint8Array.from(data);
  bytes[at + 1] = bytes[at + 1] === 0x61 ? 0x62 : 0x61;
  return bytes;
}
