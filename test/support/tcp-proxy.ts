/** A TCP proxy that can be a bad wire: one that goes dead without anyone being told, like a pulled cable; a long one; one that stalls, or breaks its connections. */
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export interface TcpProxyOptions {
  /** From one end to the other, ms, in each direction. @default 0 */
  readonly delayMs?: number;
}

export interface TcpProxy {
  readonly port: number;
  /** While true, bytes of the connections at hand vanish; new connections are served. */
  freeze(): void;
  /** From now on nothing comes through, and nothing is lost, until `resume`. */
  stall(): void;
  resume(): void;
  /** Breaks all connections at hand, with what is under way; while `refuses`, new ones too. */
  cut(): void;
  refuses: boolean;
  /** Connections that were made to it. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** What is on the wire in one direction; whoever sends more waits. */
const MOST_BYTES = 4 * 1024 * 1024;

/** One direction of a connection: what comes in goes out in order, the delay later. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #delayMs: number;
  readonly #onWire: { readonly due: number; readonly chunk: Buffer | 'end' }[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #state: 'open' | 'stalled' | 'frozen';

  constructor(from: Socket, to: Socket, delayMs: number, stalled: boolean) {
    this.#from = from;
    this.#to = to;
    this.#delayMs = delayMs;
    this.#state = stalled ? 'stalled' : 'open';
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('error', () => undefined);
    from.on('close', () => this.#take('end'));
  }

  freeze(): void {
    this.#state = 'frozen';
  }
  stall(): void {
    if (this.#state === 'open') this.#state = 'stalled';
  }
  resume(): void {
    if (this.#state === 'stalled') this.#state = 'open';
    this.#move();
  }
  cut(): void {
    clearTimeout(this.#timer);
    this.#from.resetAndDestroy();
  }

  #take(chunk: Buffer | 'end'): void {
    if (this.#state === 'frozen') return;
    this.#onWire.push({ due: performance.now() + this.#delayMs, chunk });
    if (chunk !== 'end') this.#bytes += chunk.length;
    if (this.#bytes > MOST_BYTES) this.#from.pause();
    this.#move();
  }

  #move(): void {
    clearTimeout(this.#timer);
    while (this.#state === 'open') {
      const next = this.#onWire[0];
      if (next === undefined) return;
      const left = next.due - performance.now();
      if (left > 0) {
        this.#timer = setTimeout(() => this.#move(), left);
        return;
      }
      this.#onWire.shift();
      if (next.chunk === 'end') {
        this.#to.destroy();
        return;
      }
      this.#bytes -= next.chunk.length;
      this.#to.write(next.chunk);
      if (this.#bytes <= MOST_BYTES) this.#from.resume();
    }
  }
}

export async function startTcpProxy(targetPort: number, o: TcpProxyOptions = {}): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const lanes = new Set<Lane>();
  let stalled = false;
  let connections = 0;
  const proxy = { refuses: false };
  const server = createServer((near) => {
    if (proxy.refuses) {
      near.destroy();
      return;
    }
    connections++;
    const far = connect({ port: targetPort, host: '127.0.0.1' });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const lane = new Lane(from, to, o.delayMs ?? 0, stalled);
      lanes.add(lane);
      sockets.add(from);
      from.setNoDelay(true);
      from.on('close', () => {
        sockets.delete(from);
        if (near.destroyed && far.destroyed) lanes.delete(lane);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(proxy, {
    port: address.port,
    connections: () => connections,
    freeze: () => {
      for (const lane of lanes) lane.freeze();
    },
    stall: () => {
      stalled = true;
      for (const lane of lanes) lane.stall();
    },
    resume: () => {
      stalled = false;
      for (const lane of lanes) lane.resume();
    },
    cut: () => {
      for (const lane of [...lanes]) lane.cut();
      lanes.clear();
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  });
}
