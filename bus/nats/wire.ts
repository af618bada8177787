/**
 * A link made by nats.js: one live connection, reduced to what we use, with what the library leaves out: a flush that ends when the connection does,
 * and a cut that is final. It uses the library's `ProtocolHandler` itself, since `connect()` leaks the socket of a failed dial and hides a
 * connection's socket; the library's version is pinned exactly for that reason.
 * Not here: making one (dial.ts), living on when it is lost (connection.ts).
 */
import { Socket } from 'node:net';
import type { ConnectionOptions, MsgHdrs, Status } from '@nats-io/transport-node';
import {
  DenoBuffer,
  Parser,
  ProtocolHandler,
  State,
  SubscriptionImpl,
  parseOptions,
  setTransportFactory,
} from '@nats-io/transport-node';
import { NodeTransport, nodeResolveHost } from '@nats-io/transport-node/lib/node_transport.js';
import { PolaronError } from '../../model/errors.ts';
import type { Delivery, Link } from './link.ts';
import type { ServerAddress } from './server-address.ts';

/** Of so many bytes on average pieces are given to the socket as they are. */
const LARGE_PIECES = 8 * 1024;
const CRLF = Buffer.from('\r\n');

/** A payload that comes in pieces gets its whole room at once: the library would make it larger with each, and copy what it has. */
class RoomyParser extends Parser {
  override parse(bytes: Uint8Array): void {
    super.parse(bytes);
    const { msgBuf, ma, state } = this;
    if (msgBuf === undefined || state !== State.MSG_PAYLOAD || msgBuf.capacity >= ma.size) return;
    const roomy = new DenoBuffer();
    roomy.grow(ma.size);
    roomy.write(msgBuf.bytes({ copy: false }));
    this.msgBuf = roomy;
  }
}

/** The library's client with its notices given at once, to one listener. */
export class Wire extends ProtocolHandler {
  listener: ((status: Status) => void) | undefined;
  #planned = false;

  constructor(options: ConnectionOptions) {
    // What `connect()` of transport-node does first.
    setTransportFactory({ factory: () => new NodeTransport(), dnsResolveFn: nodeResolveHost });
    // Only `Msg.respond` would use the publisher, and we answer ourselves.
    super(parseOptions(options), { publish: () => undefined });
  }

  override resetOutbound(): void {
    super.resetOutbound();
    this.parser = new RoomyParser(this);
  }

  override dispatchStatus(status: Status): void {
    this.listener?.(status);
  }

  /** What two turns of the event loop send goes out in one write: the library would write once per microtask, and a write is dear. */
  override sendCommand(command: string | Uint8Array, ...payloads: Uint8Array[]): void {
    const { outbound } = this;
    outbound.fill(typeof command === 'string' ? Buffer.from(command) : command, ...payloads);
    if (!this.#planned) {
      this.#planned = true;
      setImmediate(this.#soon);
    } else if (outbound.size() >= this.pendingLimit) this.#write();
  }

  /** One more turn: under load it brings what follows from this one into the same write, and takes an idle loop some microseconds. */
  readonly #soon = (): void => void setImmediate(this.#writeOut);

  readonly #writeOut = (): void => {
    this.#planned = false;
    this.#write();
  };

  /** As the library's own, which is private. */
  #write(): void {
    const { outbound, socket } = this;
    if (!this.infoReceived || !this.connected || outbound.size() === 0) return;
    if (socket === undefined || outbound.size() < LARGE_PIECES * outbound.length()) {
      this.transport.send(outbound.drain());
      return;
    }
    // chunks of values: the library would copy them together
    socket.cork();
    while (outbound.length() > 0) socket.write(outbound.shift());
    socket.uncork();
  }

  get socket(): Socket | undefined {
    return this.transport instanceof NodeTransport && this.transport.socket instanceof Socket
      ? this.transport.socket
      : undefined;
  }

  /** Lets go of everything, whatever state it is in. */
  discard(): void {
    this.listener = undefined;
    this.raceTimer?.cancel();
    this.heartbeats.cancel();
    if (this.transport instanceof NodeTransport) this.transport.discard();
    // A closed handler dials no more; its promise can't matter to anyone.
    this.close().catch(() => undefined);
  }
}

export class WireLink implements Link {
  readonly server: ServerAddress;
  readonly maxPayload: number;
  readonly discovered: readonly string[];
  readonly #wire: Wire;
  readonly #flushes = new Set<() => void>();
  #down = false;

  constructor(wire: Wire, server: ServerAddress) {
    const { info } = wire;
    if (info === undefined) throw new Error('the server sent no INFO');
    this.#wire = wire;
    this.server = server;
    this.maxPayload = info.max_payload;
    this.discovered = info.connect_urls ?? [];
    // Its timer would keep the process alive; heartbeat.ts does the same without.
    wire.heartbeats.cancel();
  }

  /** False as soon as the socket knows, which is before `lost` is called. */
  get writable(): boolean {
    return !this.#down && this.#wire.socket?.writable !== false;
  }

  get flushing(): boolean {
    return this.#flushes.size > 0;
  }

  watch(lost: () => void, status: (status: Status) => void): void {
    let told = false;
    const once = (): void => {
      if (told) return;
      told = true;
      lost();
    };
    this.#wire.listener = status;
    this.#wire.socket?.once('close', once);
    this.#wire.closed.then(once, once);
    if (!this.writable) queueMicrotask(once);
  }

  publish(subject: string, data: Uint8Array, reply: string | undefined, headers: MsgHdrs | undefined): void {
    if (headers !== undefined)
      this.#wire.publish(subject, data, reply === undefined ? { headers } : { headers, reply });
    else if (reply === undefined) this.#wire.sendCommand(`PUB ${subject} ${data.length}\r\n`, data, CRLF);
    else this.#wire.sendCommand(`PUB ${subject} ${reply} ${data.length}\r\n`, data, CRLF);
  }

  /** A server doesn't tell. */
  reaches(): boolean {
    return true;
  }

  subscribe(subject: string, queue: string | undefined, handler: (message: Delivery) => void): () => void {
    const subscription = new SubscriptionImpl(this.#wire, subject, {
      ...(queue === undefined ? {} : { queue }),
      // An error here is a refusal, of which `status` tells as well.
      callback: (error, message) => {
        if (error === null) handler(message);
      },
    });
    this.#wire.subscribe(subscription);
    return () => {
      if (!this.#down && !subscription.isClosed()) subscription.unsubscribe();
    };
  }

  /** Ends when the connection does; the library would wait for ever. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        this.#flushes.delete(fail);
        reject(new PolaronError('BUS_DISCONNECTED', 'flush: the bus connection was lost'));
      };
      if (this.#down) return fail();
      this.#flushes.add(fail);
      this.#wire.flush().then(() => {
        this.#flushes.delete(fail);
        resolve();
      }, fail);
    });
  }

  hold(wanted: boolean): void {
    if (wanted) this.#wire.socket?.ref();
    else this.#wire.socket?.unref();
  }

  destroy(): void {
    if (this.#down) return;
    this.#down = true;
    this.#wire.discard();
    for (const fail of this.#flushes) fail();
  }
}
