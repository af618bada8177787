/** A way for the test's own process to a port on a machine of a network namespace: over a socket in the file system, which no namespace hides. */
import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import type { Machine } from './namespaces.ts';

/** Listens at the socket, and passes on what comes to host and port. */
const FAR_END = `
const net = require('node:net');
const [path, port, host] = process.argv.slice(1);
net.createServer((near) => {
  const far = net.connect(Number(port), host);
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy()).on('close', () => far.destroy());
  far.on('error', () => near.destroy()).on('close', () => near.destroy());
}).listen(path, () => console.log('ready'));
`;

export interface Tunnel {
  /** On this machine's loopback. */
  readonly port: number;
  close(): Promise<void>;
}

/** `path`: of a socket that is not there yet. */
export async function openTunnel(to: Machine, path: string, port: number, host = to.address): Promise<Tunnel> {
  const [command, ...rest] = [...to.within, process.execPath, '--eval', FAR_END, path, String(port), host];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the tunnel ended with ${code}`)));
  });
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(path);
    near.pipe(far).pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}
