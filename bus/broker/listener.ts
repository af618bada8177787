/**
 * The listening socket of the broker: where it may listen, TLS after INFO, prompt closing.
 * Not here: what is said on a connection (client.ts).
 */
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { PolaronError } from '../../model/errors.ts';

export interface TlsMaterial {
  /** PEM. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | undefined;
  /** The line that greets a client, before TLS. */
  greeting(socket: Socket): string;
  /** A connection is ready to be read; with TLS that is only after its handshake. */
  accepted(socket: Socket): void;
  /** A connection failed before it was accepted. */
  failed(error: Error): void;
  readonly handshakeTimeoutMs: number;
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** An address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Raises START_FAILED when the address can't be had. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const raw = new Set<Socket>();
  // 4 ms of a start
  const secured = options.tls === undefined ? undefined : { ...options.tls, ...(await import('node:tls')) };
  const server = createServer({ noDelay: true }, (socket) => {
    raw.add(socket);
    socket.once('close', () => raw.delete(socket));
    socket.on('error', (error) => options.failed(error));
    socket.write(options.greeting(socket), 'latin1');
    if (secured === undefined) options.accepted(socket);
    else secure(socket, secured, options);
  });
  await bind(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new PolaronError('START_FAILED', 'the bus has no port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of raw) socket.destroy();
      }),
  };
}

function secure(socket: Socket, tls: TlsMaterial & { TLSSocket: typeof TLSSocket }, options: ListenOptions): void {
  const wrapped = new tls.TLSSocket(socket, { isServer: true, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' });
  const timer = setTimeout(() => wrapped.destroy(), options.handshakeTimeoutMs).unref();
  wrapped.on('error', (error) => {
    options.failed(error);
    socket.destroy();
  });
  wrapped.once('close', () => {
    clearTimeout(timer);
    socket.destroy();
  });
  wrapped.once('secure', () => {
    clearTimeout(timer);
    options.accepted(wrapped);
  });
}

function bind(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      const where = `${options.host}:${options.port}`;
      reject(
        new PolaronError('START_FAILED', `the bus can't listen on ${where}: ${error.message}`, {
          cause: error,
          details: { host: options.host, port: options.port },
          help: 'Choose another port or address, or stop what uses it.',
        }),
      );
    };
    server.once('error', failed);
    server.listen(options.port, options.host, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
