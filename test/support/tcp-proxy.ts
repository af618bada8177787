/** A TCP proxy whose wire can go dead without anyone being told, like a pulled cable. */
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** While true, bytes of the connections at hand vanish; new connections are served. */
  freeze(): void;
  /** Breaks all connections at hand; while `refuses`, new ones too. */
  cut(): void;
  refuses: boolean;
  /** Connections that were made to it. */
  readonly connections: () => number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let live: { frozen: boolean }[] = [];
  let connections = 0;
  const proxy = { refuses: false };
  const server = createServer((near) => {
    if (proxy.refuses) {
      near.destroy();
      return;
    }
    connections++;
    const state = { frozen: false };
    live.push(state);
    const far = connect({ port: targetPort, host: '127.0.0.1' });
    const pipe = (from: Socket, to: Socket): void => {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (!state.frozen) to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        if (!state.frozen) to.destroy();
      });
    };
    pipe(near, far);
    pipe(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(proxy, {
    port: address.port,
    connections: () => connections,
    freeze: () => {
      for (const state of live) state.frozen = true;
      live = [];
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  });
}
