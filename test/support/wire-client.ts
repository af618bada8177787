/** A NATS client of bare lines, for what no library would send. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { until } from './until.ts';

export interface WireClient {
  readonly socket: Socket;
  /** All that was received and not yet taken. */
  received(): string;
  send(text: string): void;
  /** Waits for a text, and takes everything up to its end. */
  expect(text: string): Promise<string>;
  /** Sends PING and returns what comes before its PONG. */
  sync(): Promise<string>;
  readonly closed: () => boolean;
  end(): void;
}

/** Connects and reads the INFO line. */
export async function wireClient(port: number, connectJson?: string): Promise<WireClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let closed = false;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  const client: WireClient = {
    socket,
    received: () => text,
    send: (line) => void socket.write(line, 'latin1'),
    expect: async (wanted) => {
      await until(() => text.includes(wanted) || closed, `${JSON.stringify(wanted)}, got ${JSON.stringify(text)}`);
      const end = text.indexOf(wanted);
      if (end < 0) throw new Error(`closed before ${JSON.stringify(wanted)}; got ${JSON.stringify(text)}`);
      const taken = text.slice(0, end + wanted.length);
      text = text.slice(end + wanted.length);
      return taken;
    },
    sync: async () => {
      client.send('PING\r\n');
      return (await client.expect('PONG\r\n')).slice(0, -'PONG\r\n'.length);
    },
    closed: () => closed,
    end: () => socket.destroy(),
  };
  await client.expect('\r\n');
  if (connectJson !== undefined) client.send(`CONNECT ${connectJson}\r\n`);
  return client;
}

/** The usual CONNECT: quiet, with headers. */
export const QUIET = '{"verbose":false,"pedantic":false,"headers":true,"no_responders":true}';
