/** The client that most projects still have, `nats` 2.x, on the embedded broker: it can't tell it from a server. */
import { Events, StringCodec, connect, headers } from 'nats';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectNats } from '../../bus/nats-bus.ts';
import type { BusServer } from '../support/bus-server.ts';
import { ADMIN, passwordOf, startEmbedded } from '../support/bus-server.ts';
import { noLog } from '../support/log-list.ts';
import { until } from '../support/until.ts';

const text = StringCodec();

describe('a client of nats 2.x on the embedded broker', () => {
  let server: BusServer;
  let nc: NatsConnection;
  beforeAll(async () => {
    server = await startEmbedded();
    nc = await connect({ servers: server.url, user: ADMIN.user, pass: ADMIN.password, reconnectTimeWait: 20 });
  });
  afterAll(async () => {
    await nc.close();
    await server.stop();
  });

  test('publishes, subscribes with wildcards and queues, and drains', async () => {
    const got: string[] = [];
    const all = nc.subscribe('v2.>', { callback: (_error, message) => void got.push(text.decode(message.data)) });
    const counts = [0, 0];
    nc.subscribe('v2.work', { queue: 'q', callback: () => void (counts[0] = (counts[0] ?? 0) + 1) });
    nc.subscribe('v2.work', { queue: 'q', callback: () => void (counts[1] = (counts[1] ?? 0) + 1) });
    for (let i = 0; i < 100; i++) nc.publish('v2.work', text.encode(`${i}`));
    await nc.flush();
    await until(() => got.length === 100, 'all');
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(100);
    await all.drain();
    expect(all.isClosed()).toBe(true);
  });

  test('requests with headers, both request styles, and sees "no responders"', async () => {
    nc.subscribe('v2.echo', {
      callback: (_error, message) => {
        const answer = headers();
        answer.set('seen', message.headers?.get('kind') ?? 'none');
        message.respond(message.data, { headers: answer });
      },
    });
    const kind = headers();
    kind.set('kind', 'test');
    for (const noMux of [false, true]) {
      const answer = await nc.request('v2.echo', text.encode('hi'), { timeout: 5_000, noMux, headers: kind });
      expect([text.decode(answer.data), answer.headers?.get('seen')]).toEqual(['hi', 'test']);
    }
    await expect(nc.request('v2.nobody', undefined, { timeout: 60_000 })).rejects.toMatchObject({ code: '503' });
  });

  test('auto-unsubscribes after a number of messages', async () => {
    const subscription = nc.subscribe('v2.max', { max: 3 });
    for (let i = 0; i < 5; i++) nc.publish('v2.max', text.encode(`${i}`));
    const got: string[] = [];
    for await (const message of subscription) got.push(text.decode(message.data));
    expect(got).toEqual(['0', '1', '2']);
  });

  test('talks with our own bus', async () => {
    const bus = await connectNats({ servers: server.url, ...ADMIN, name: 'own', identity: 'own', log: noLog });
    bus.subscribe('v2.own', (message) => message.respond(message.data, { via: 'own' }));
    await bus.flush();
    const answer = await nc.request('v2.own', text.encode('across'), { timeout: 5_000 });
    expect([text.decode(answer.data), answer.headers?.get('via')]).toEqual(['across', 'own']);
    await bus.close();
  });

  test('uses a user of ours with its permissions, as the `nats` CLI would', async () => {
    const kim = await connect({
      servers: server.url,
      user: 'u.kim',
      pass: passwordOf('u.kim'),
      inboxPrefix: '_INBOX.u.kim',
    });
    nc.subscribe('polaron.api.kim.list', { callback: (_error, message) => void message.respond(text.encode('[]')) });
    await nc.flush();
    expect(text.decode((await kim.request('polaron.api.kim.list', undefined, { timeout: 5_000 })).data)).toBe('[]');
    await expect(kim.request('polaron.api.lee.list', undefined, { timeout: 60_000 })).rejects.toMatchObject({
      code: 'PERMISSIONS_VIOLATION',
    });
    await kim.close();
    await expect(connect({ servers: server.url, user: 'u.kim', pass: 'x' })).rejects.toMatchObject({
      code: 'AUTHORIZATION_VIOLATION',
    });
  });

  test('comes back after a restart of the broker', async () => {
    const got: string[] = [];
    nc.subscribe('v2.again', { callback: (_error, message) => void got.push(text.decode(message.data)) });
    await nc.flush();
    const states: string[] = [];
    const watching = (async () => {
      for await (const status of nc.status()) {
        states.push(status.type);
        if (status.type === Events.Reconnect) break;
      }
    })();
    await server.restart(async () => undefined);
    await watching;
    expect(states).toContain('disconnect');
    nc.publish('v2.again', text.encode('back'));
    await nc.flush();
    await until(() => got.length === 1, 'the message');
  });
});
