/** What nats.js does wrong for us (docs of the pitfalls: bus/nats/connection.ts), each shown to be handled. What needs no special server is in test/contract/bus-contract.ts. */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Broker, BrokerOptions } from '../../bus/broker/broker.ts';
import { startBroker } from '../../bus/broker/broker.ts';
import type { BusStatus } from '../../bus/bus.ts';
import type { Authenticator } from '../../bus/credentials.ts';
import type { BusTarget, NatsBus, NatsBusOptions } from '../../bus/nats-bus.ts';
import { connectNats } from '../../bus/nats-bus.ts';
import { makeLogList, noLog } from '../support/log-list.ts';
import { freePort } from '../support/nats-server.ts';
import { realClock } from '../support/real-clock.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const none = new Uint8Array(0);
const toClose: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of toClose.splice(0).toReversed()) await part.close();
});

async function broker(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const started = await startBroker({ auth: 'none', log: noLog, clock: realClock, ...options });
  toClose.push(started);
  return started;
}
async function connect(
  options: Partial<NatsBusOptions> & { readonly servers: BusTarget['servers'] },
): Promise<NatsBus> {
  const bus = await connectNats({ name: 'x', identity: 'x', log: noLog, maxReconnectDelayMs: 20, ...options });
  toClose.push(bus);
  return bus;
}
/** A server of any behaviour. */
async function tcp(onConnection: (socket: Socket) => void): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  toClose.push({
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, sockets };
}
const oneUser =
  (current: () => string): Authenticator =>
  ({ user, pass }) =>
    user === 'kim' && pass === current() ? { identity: 'kim', permissions: { publish: {}, subscribe: {} } } : undefined;

describe('the first connection', () => {
  test('with nothing there, NO_HUB names all that was tried', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const servers = [`nats://user:secret@127.0.0.1:${one}`, `nats://127.0.0.1:${two}`];
    const failed = connectNats({
      servers,
      name: 'x',
      identity: 'x',
      log: noLog,
      waitOnFirstConnect: false,
      random: () => 0,
    });
    await expect(failed).rejects.toMatchObject({
      code: 'NO_HUB',
      message: `no bus answers at nats://127.0.0.1:${one} (connection refused), nats://127.0.0.1:${two} (connection refused)`,
    });
  });

  test('something that is no bus is NO_HUB, and no socket to it stays open', async () => {
    const silent = await tcp(() => undefined);
    const web = await tcp((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const rude = await tcp((socket) => socket.destroy());
    for (const { port, sockets } of [silent, web, rude]) {
      const options = {
        servers: `nats://127.0.0.1:${port}`,
        name: 'x',
        identity: 'x',
        log: noLog,
        connectTimeoutMs: 50,
      };
      await expect(connectNats({ ...options, waitOnFirstConnect: false })).rejects.toMatchObject({
        code: 'NO_HUB',
        message: expect.stringContaining(`127.0.0.1:${port}`),
      });
      await until(() => sockets.size === 0, 'the socket to be closed');
    }
  });

  test.each(['http://127.0.0.1:1', 'nats://', 'nats://a b', 'nats://u:secret@host:notaport'])(
    'the URL %j is refused, without showing a password',
    async (servers) => {
      const failed = connectNats({ servers, name: 'x', identity: 'x', log: noLog });
      await expect(failed).rejects.toMatchObject({ code: 'USAGE', message: expect.not.stringContaining('secret') });
    },
  );

  test('waits until something answers, and says once that it waits', async () => {
    const port = await freePort();
    const { log, entries } = makeLogList();
    const connecting = connect({ servers: `nats://127.0.0.1:${port}`, log });
    await until(() => entries.length > 0, 'word of waiting');
    const late = await broker({ port });
    const bus = await connecting;
    expect(bus.server).toBe(late.url);
    expect(entries).toEqual([expect.objectContaining({ message: expect.stringContaining('connection refused') })]);
  });

  test('goes to whichever of several servers answers', async () => {
    const there = await broker();
    const bus = await connect({
      servers: [`nats://127.0.0.1:${await freePort()}`, there.url, `nats://127.0.0.1:${await freePort()}`],
      waitOnFirstConnect: false,
    });
    expect(bus.server).toBe(there.url);
  });
});

describe('a lost connection', () => {
  test('that is open but dead is noticed in three heartbeats, and replaced', async () => {
    const { port } = await broker();
    const proxy = await startTcpProxy(port);
    toClose.push(proxy);
    const bus = await connect({ servers: `nats://127.0.0.1:${proxy.port}`, pingIntervalMs: 40 });
    let seen = 0;
    bus.subscribe('after', () => void seen++);
    bus.subscribe('mute', () => undefined);
    await bus.flush();
    const began = performance.now();
    proxy.freeze();
    const waiting = bus.request('mute', none, { timeoutMs: 600_000 });
    const flushing = bus.flush();
    await expect(waiting).rejects.toMatchObject({ code: 'BUS_DISCONNECTED' });
    await expect(flushing).rejects.toMatchObject({ code: 'BUS_DISCONNECTED' });
    expect(performance.now() - began).toBeLessThan(5_000);
    await until(() => bus.connected, 'reconnection');
    bus.publish('after', none);
    await until(() => seen === 1, 'the message');
    expect(proxy.connections()).toBe(2);
  });

  test('refused credentials are told, and tried again for ever', async () => {
    let password = 'right';
    const server = await broker({ auth: oneUser(() => password) });
    const statuses: BusStatus[] = [];
    const bus = await connect({ servers: server.url, user: 'kim', password: 'right', maxReconnectDelayMs: 5 });
    bus.onStatus((status) => statuses.push(status));
    password = 'changed';
    server.disconnect('x');
    // nats.js gives up at the second refusal in a row, and after ten attempts.
    await until(() => server.stats().refused > 12, 'many attempts');
    expect(bus.connected).toBe(false);
    password = 'right';
    await until(() => bus.connected, 'the return');
    expect(statuses[0]).toEqual({ type: 'disconnected' });
    expect(statuses[1]).toEqual({ type: 'refused', reason: `${server.url} refused the credentials of user "kim"` });
    expect(statuses.at(-1)).toEqual({ type: 'connected' });
  });

  test('address and credentials are read again before each dial; subscriptions move along', async () => {
    const first = await broker({ auth: oneUser(() => 'one') });
    let target: BusTarget | undefined = { servers: first.url, user: 'kim', password: 'one' };
    const bus = await connect({ servers: 'nats://127.0.0.1:1', reReadCredentials: () => target });
    let seen = 0;
    bus.subscribe('moved', () => void seen++, { queue: 'q' });
    await bus.flush();
    const second = await broker({ auth: oneUser(() => 'two') });
    // Nothing to read for a while: the last address is tried.
    target = undefined;
    await first.close();
    await until(() => !bus.connected, 'the loss');
    target = { servers: second.url, user: 'kim', password: 'two' };
    await until(() => bus.connected, 'the move');
    expect(bus.server).toBe(second.url);
    bus.publish('moved', none);
    await until(() => seen === 1, 'the message');
  });

  test('a reader of credentials that throws is logged and the last ones are used', async () => {
    const server = await broker();
    const { log, entries } = makeLogList();
    const bus = await connect({
      servers: server.url,
      log,
      reReadCredentials: () => {
        throw new Error('no such file');
      },
    });
    expect(bus.connected).toBe(true);
    expect(entries).toEqual([expect.objectContaining({ level: 'warn', fields: { error: 'no such file' } })]);
  });

  test('a server that is about to stop is left for another', async () => {
    const [one, two] = [await broker(), await broker()];
    const bus = await connect({ servers: [one.url, two.url], random: () => 0 });
    expect(bus.server).toBe(one.url);
    one.lameDuck();
    await until(() => bus.server === two.url, 'the move');
    expect(one.stats().clients).toBe(0);
  });

  test('a server that cuts each new connection is not dialled in a busy loop', async () => {
    const server = await broker();
    const bus = await connect({ servers: server.url, maxReconnectDelayMs: 400, random: () => 0.5 });
    for (let i = 0; i < 4; i++) {
      const { connects } = bus.counters;
      server.disconnect('x');
      await until(() => bus.counters.connects > connects, 'the return');
    }
    const began = performance.now();
    server.disconnect('x');
    await until(() => bus.counters.connects === 6, 'the return');
    expect(performance.now() - began).toBeGreaterThan(25);
  });
});

describe('requests', () => {
  test('share one subscription, below the inbox of the identity', async () => {
    const subscribed: string[] = [];
    const server = await broker({
      auth: () => ({
        identity: 'a.s1.a1',
        permissions: { publish: {}, subscribe: { allow: ['_INBOX.a.s1.a1.>', 'echo'] } },
      }),
    });
    const bus = await connect({ servers: server.url, identity: 'a.s1.a1' });
    bus.onStatus((status) => {
      if (status.type === 'refused') subscribed.push(status.reason);
    });
    bus.subscribe('echo', (message) => {
      subscribed.push(message.reply ?? '');
      message.respond(message.data);
    });
    await Promise.all(Array.from({ length: 100 }, () => bus.request('echo', none, { timeoutMs: 5_000 })));
    expect(server.stats().subscriptions).toBe(2);
    expect(subscribed.every((reply) => /^_INBOX\.a\.s1\.a1\.[0-9a-f]{24}\.[0-9a-z]+$/.test(reply))).toBe(true);
    expect(new Set(subscribed).size).toBe(100);
  });

  test('leave no timer and no listener behind', async () => {
    const server = await broker();
    const bus = await connect({ servers: server.url });
    bus.subscribe('echo', (message) => message.respond(message.data));
    let listeners = 0;
    const { signal } = new AbortController();
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    for (let i = 0; i < 10; i++) await bus.request('echo', none, { timeoutMs: 60_000, signal });
    await expect(bus.request('nobody', none, { timeoutMs: 60_000, signal })).rejects.toMatchObject({
      code: 'NO_RESPONDERS',
    });
    expect(listeners).toBe(0);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThan(10);
  });

  test('a late answer is ignored', async () => {
    const server = await broker();
    const bus = await connect({ servers: server.url });
    const answers: (() => void)[] = [];
    bus.subscribe('late', (message) => void answers.push(() => message.respond(none)));
    await expect(bus.request('late', none, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    for (const answer of answers) answer();
    await bus.flush();
    expect(bus.counters.handlerErrors).toBe(0);
  });
});

test('closing while it dials ends at once and leaves nothing', async () => {
  const server = await broker();
  const bus = await connect({ servers: server.url });
  await server.close();
  await until(() => !bus.connected, 'the loss');
  const began = performance.now();
  await bus.close();
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('an identity that could widen a subject is refused', async () => {
  for (const identity of ['a.*', '>', 'a b', '', 'a..b']) {
    const options = { servers: 'nats://127.0.0.1:1', name: 'x', identity, log: noLog };
    await expect(connectNats(options)).rejects.toMatchObject({ code: 'BAD_SUBJECT' });
  }
});
