/** The embedded broker on the wire, byte by byte: protocol, authentication, limits, where it listens, TLS. */
import { readFileSync } from 'node:fs';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { Broker, BrokerOptions } from '../../../bus/broker/broker.ts';
import { startBroker } from '../../../bus/broker/broker.ts';
import { connectNats } from '../../../bus/nats-bus.ts';
import { ADMIN, authenticator } from '../../support/bus-server.ts';
import { makeLogList, noLog } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';
import { QUIET, wireClient } from '../../support/wire-client.ts';

const pem = (name: string): string => readFileSync(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url), 'utf8');
const tls = { cert: pem('cert'), key: pem('key') };

const started: Broker[] = [];
async function start(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await startBroker({ auth: 'none', log: noLog, clock: realClock, ...options });
  started.push(broker);
  return broker;
}
afterEach(async () => {
  for (const broker of started.splice(0)) await broker.close();
});

describe('the embedded broker on the wire', () => {
  test('greets with INFO and answers PING', async () => {
    const broker = await start({ maxPayload: 1_234 });
    const client = await wireClient(broker.port);
    expect(await client.sync()).toBe('');
    client.end();
  });

  test('INFO says what a client must know', async () => {
    const broker = await start({ maxPayload: 1_234, auth: authenticator });
    const bus = await connectNats({ servers: broker.url, ...ADMIN, name: 'x', identity: 'x', log: noLog });
    expect(bus.maxPayload).toBe(1_234);
    await bus.close();
  });

  test('says +OK to a verbose client, as one is that says nothing else', async () => {
    const broker = await start();
    const client = await wireClient(broker.port, '{}');
    client.send('SUB a 1\r\nPUB a 2\r\nhi\r\nUNSUB 1\r\n');
    expect(await client.sync()).toBe('+OK\r\n+OK\r\n+OK\r\nMSG a 1 2\r\nhi\r\n+OK\r\n');
    client.end();
  });

  test('UNSUB with a number ends a subscription after that many', async () => {
    const broker = await start();
    const client = await wireClient(broker.port, QUIET);
    client.send('SUB a 1\r\nUNSUB 1 2\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\nPUB a 1\r\n3\r\n');
    expect(await client.sync()).toBe('MSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\n');
    expect(broker.stats().subscriptions).toBe(0);
    client.send('SUB b 2\r\nPUB b 1\r\n1\r\nUNSUB 2 1\r\nPUB b 1\r\n2\r\n');
    expect(await client.sync()).toBe('MSG b 2 1\r\n1\r\n');
    client.end();
  });

  test('echo can be switched off', async () => {
    const broker = await start();
    const client = await wireClient(broker.port, '{"verbose":false,"echo":false}');
    client.send('SUB a 1\r\nPUB a 2\r\nhi\r\n');
    expect(await client.sync()).toBe('');
    client.end();
  });

  test('tells a requester that nobody listens, only when it asked for that', async () => {
    const broker = await start();
    const client = await wireClient(broker.port, QUIET);
    client.send('SUB _INBOX.x.* 9\r\nPUB nobody _INBOX.x.1 2\r\nhi\r\n');
    expect(await client.sync()).toBe('HMSG _INBOX.x.1 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n');
    client.end();
    const old = await wireClient(broker.port, '{"verbose":false}');
    old.send('SUB _INBOX.x.* 9\r\nPUB nobody _INBOX.x.1 2\r\nhi\r\n');
    expect(await old.sync()).toBe('');
    old.end();
  });

  test('headers reach those who can read them; others get the payload alone', async () => {
    const broker = await start();
    const modern = await wireClient(broker.port, QUIET);
    const old = await wireClient(broker.port, '{"verbose":false}');
    modern.send('SUB a 1\r\n');
    old.send('SUB a 1\r\n');
    await modern.sync();
    await old.sync();
    modern.send('HPUB a 18 20\r\nNATS/1.0\r\nk: v\r\n\r\nhi\r\n');
    expect(await modern.sync()).toBe('HMSG a 1 18 20\r\nNATS/1.0\r\nk: v\r\n\r\nhi\r\n');
    await until(() => old.received() !== '', 'the message');
    expect(await old.sync()).toBe('MSG a 1 2\r\nhi\r\n');
    modern.end();
    old.end();
  });

  test('large payloads and small ones keep their order and bytes', async () => {
    const broker = await start();
    const client = await wireClient(broker.port, QUIET);
    client.send('SUB a 1\r\n');
    const sizes = [0, 1, 47, 48, 16_383, 16_384, 70_000, 3, 1_000_000, 5];
    let expected = '';
    for (const [i, size] of sizes.entries()) {
      const payload = String(i).repeat(size);
      client.send(`PUB a ${size}\r\n${payload}\r\n`);
      expected += `MSG a 1 ${size}\r\n${payload}\r\n`;
    }
    expect((await client.sync()) === expected).toBe(true);
    client.end();
  });

  test.each([
    ['a payload over the limit', `PUB a 1048577\r\n`, 'Maximum Payload Violation'],
    ['a line over the limit', `SUB ${'a'.repeat(5_000)} 1\r\n`, 'Maximum Control Line Exceeded'],
    ['an unknown operation', 'GET / HTTP/1.1\r\n', 'Unknown Protocol Operation'],
    ['a CONNECT that is no object', 'CONNECT []\r\n', 'Parser Error'],
  ])('%s ends the connection with a reason', async (_what, text, error) => {
    const broker = await start();
    const client = await wireClient(broker.port, QUIET);
    client.send(`PUB a 0\r\n\r\n${text}PUB a 0\r\n\r\n`);
    await client.expect(`-ERR '${error}'\r\n`);
    await until(client.closed, 'the end');
    expect(broker.stats()).toMatchObject({ clients: 0, inMessages: 1 });
  });

  test('a bad subject is refused and the connection goes on', async () => {
    const broker = await start();
    const client = await wireClient(broker.port, '{"verbose":false,"pedantic":true}');
    client.send('SUB a..b 1\r\nSUB a.>.b 2\r\nPUB a.* 0\r\n\r\n');
    expect(await client.sync()).toBe(
      "-ERR 'Invalid Subject'\r\n-ERR 'Invalid Subject'\r\n-ERR 'Invalid Publish Subject'\r\n",
    );
    client.end();
  });
});

describe('authentication', () => {
  test('before a good CONNECT nothing is done', async () => {
    const broker = await start({ auth: authenticator });
    for (const text of ['SUB > 1\r\n', 'PUB a 0\r\n\r\n', 'PING\r\n']) {
      const client = await wireClient(broker.port);
      client.send(text);
      await client.expect("-ERR 'Authorization Violation'\r\n");
      await until(client.closed, 'the end');
    }
    expect(broker.stats()).toMatchObject({ clients: 0, subscriptions: 0, inMessages: 0, refused: 3 });
  });

  test('who says nothing is not waited for', async () => {
    const broker = await start({ auth: authenticator, authTimeoutMs: 30 });
    const client = await wireClient(broker.port);
    await client.expect("-ERR 'Authentication Timeout'\r\n");
    await until(client.closed, 'the end');
  });

  test('a token serves as well', async () => {
    const broker = await start({
      auth: ({ token }) =>
        token === 'good' ? { identity: 'x', permissions: { publish: {}, subscribe: {} } } : undefined,
    });
    const servers = broker.url.replace('://', '://good@');
    const bus = await connectNats({ servers, name: 'x', identity: 'x', log: noLog });
    await bus.close();
    const wrong = { servers: broker.url, token: 'bad', name: 'x', identity: 'x', log: noLog };
    await expect(connectNats(wrong)).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  });

  test('a denied part of a wider subscription is left out', async () => {
    const permissions = { publish: { deny: ['secret.>'] }, subscribe: { deny: ['a.secret'] } };
    const broker = await start({ auth: () => ({ identity: 'x', permissions }) });
    const client = await wireClient(broker.port, QUIET);
    client.send('SUB a.* 1\r\nSUB a.secret 2\r\nPUB a.b 0\r\n\r\nPUB a.secret 0\r\n\r\nPUB secret.x 0\r\n\r\n');
    expect(await client.sync()).toBe(
      `-ERR 'Permissions Violation for Subscription to "a.secret"'\r\nMSG a.b 1 0\r\n\r\n` +
        `-ERR 'Permissions Violation for Publish to "secret.x"'\r\n`,
    );
    client.end();
  });
});

describe('limits', () => {
  test('a client that does not read is cut off, others go on', async () => {
    const { log, entries } = makeLogList();
    const broker = await start({ maxPending: 1_000_000, log });
    const slow = await wireClient(broker.port, QUIET.replace('{', '{"name":"sleeper",'));
    slow.send('SUB flood 1\r\n');
    await slow.sync();
    slow.socket.pause();
    const bus = await connectNats({ servers: broker.url, name: 'x', identity: 'x', log: noLog });
    let seen = 0;
    bus.subscribe('flood', () => void seen++);
    const data = new Uint8Array(100_000);
    let sent = 0;
    while (broker.stats().slowConsumers === 0 && sent < 2_000) {
      bus.publish('flood', data);
      sent++;
      await bus.flush();
    }
    expect(broker.stats()).toMatchObject({ slowConsumers: 1, clients: 1 });
    await until(() => seen === sent, 'all messages at the quick one');
    expect(entries.map(({ fields }) => [fields['reason'], fields['client']])).toContainEqual([
      'Slow Consumer',
      'sleeper',
    ]);
    slow.end();
    await bus.close();
  });

  test('a burst to a client that falls behind for a moment is slowed down, not lost', async () => {
    const broker = await start({ maxPending: 8_000_000 });
    const late = await wireClient(broker.port, QUIET);
    late.send('SUB burst 1\r\n');
    await late.sync();
    late.socket.pause();
    let received = 0;
    late.socket.on('data', (chunk: string) => {
      received += chunk.length;
    });
    const from = await connectNats({ servers: broker.url, name: 'from', identity: 'from', log: noLog });
    const before = broker.stats().inMessages;
    for (let i = 0; i < 400; i++) from.publish('burst', new Uint8Array(100_000));
    // Long enough for all 40 MB to come in, were the sender not slowed down.
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(broker.stats().inMessages - before).toBeLessThan(300);
    late.socket.resume();
    await until(() => received > 40_000_000, 'all 40 MB', 30_000);
    expect(broker.stats().slowConsumers).toBe(0);
    await from.close();
    late.end();
  });

  test('who does not answer two PINGs is cut off; who answers stays', async () => {
    const broker = await start({ pingIntervalMs: 250 });
    const bus = await connectNats({ servers: broker.url, name: 'x', identity: 'x', log: noLog });
    const mute = await wireClient(broker.port, QUIET);
    await mute.expect("-ERR 'Stale Connection'\r\n");
    await until(mute.closed, 'the end');
    expect(bus.connected).toBe(true);
    expect(bus.counters.connects).toBe(1);
    await bus.close();
  });

  test('more connections than allowed are turned away', async () => {
    const broker = await start({ maxConnections: 1 });
    const first = await wireClient(broker.port, QUIET);
    await first.sync();
    const second = await wireClient(broker.port);
    await second.expect("-ERR 'maximum connections exceeded'\r\n");
    first.end();
    second.end();
  });

  test('closing is prompt, with clients that never read too', async () => {
    const broker = await start();
    const clients = await Promise.all(Array.from({ length: 20 }, () => wireClient(broker.port, QUIET)));
    for (const client of clients) client.socket.pause();
    const began = performance.now();
    await broker.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const client of clients) client.end();
    const again = await start({ port: broker.port });
    expect(again.port).toBe(broker.port);
  });

  test('an address in use is named', async () => {
    const broker = await start();
    await expect(start({ port: broker.port })).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining(`127.0.0.1:${broker.port}`),
    });
  });
});

describe('off loopback', () => {
  test.each([
    ['nothing', {}, 'TLS and credentials'],
    ['only TLS', { tls }, 'credentials'],
    ['only credentials', { auth: authenticator }, 'TLS'],
  ])('with %s it refuses to listen', async (_what, options, missing) => {
    await expect(start({ host: '0.0.0.0', ...options })).rejects.toMatchObject({
      code: 'INSECURE_LISTEN',
      message: `the bus would listen on 0.0.0.0, which is not loopback, without ${missing}`,
    });
  });

  test('insecure is the way around, and warns', async () => {
    const { log, entries } = makeLogList();
    await start({ host: '0.0.0.0', insecure: true, log });
    expect(entries).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('without TLS and credentials') }),
    ]);
  });

  test('with TLS and credentials it listens without a word', async () => {
    const { log, entries } = makeLogList();
    await start({ host: '0.0.0.0', tls, auth: authenticator, log });
    expect(entries).toEqual([]);
  });
});

describe('TLS', () => {
  test('messages pass, and the certificate is checked', async () => {
    const broker = await start({ tls, auth: authenticator });
    const options = { servers: broker.url, ...ADMIN, name: 'x', identity: 'x', log: noLog };
    expect(broker.url).toMatch(/^tls:/);
    const bus = await connectNats({ ...options, tls: { ca: tls.cert } });
    bus.subscribe('echo', (message) => message.respond(message.data));
    const data = new Uint8Array(500_000).fill(7);
    expect((await bus.request('echo', data, { timeoutMs: 10_000 })).data).toEqual(data);
    await bus.close();
    const lax = await connectNats({ ...options, tls: { insecureSkipVerify: true } });
    await lax.close();
    await expect(connectNats({ ...options, waitOnFirstConnect: false })).rejects.toMatchObject({
      code: 'NO_HUB',
      message: expect.stringMatching(/self.signed/),
    });
  });

  test('a client that stays in clear text is not served', async () => {
    const broker = await start({ tls, auth: authenticator });
    const client = await wireClient(broker.port, JSON.stringify({ ...ADMIN, pass: ADMIN.password }));
    await until(client.closed, 'the end');
    expect(broker.stats().connections).toBe(0);
  });

  test('a silent handshake does not stay', async () => {
    const broker = await start({ tls, auth: authenticator, authTimeoutMs: 50 });
    const client = await wireClient(broker.port);
    await until(client.closed, 'the end');
    // TLS before INFO is no NATS of ours either.
    const early = tlsConnect({ port: broker.port, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise((resolve) => early.once('error', resolve));
  });
});
