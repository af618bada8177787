/**
 * What every bus must do, on whatever server: run by each bus-*.test.ts in this folder.
 * Not here: who may say what (bus-permissions.ts), faults of connections that need a server which misbehaves (test/bus).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BusMessage, BusStatus } from '../../bus/bus.ts';
import { connectNats } from '../../bus/nats-bus.ts';
import type { NatsBus } from '../../bus/nats-bus.ts';
import type { BusServer } from '../support/bus-server.ts';
import { ADMIN, MAX_PAYLOAD } from '../support/bus-server.ts';
import { makeLogList, noLog } from '../support/log-list.ts';
import { until } from '../support/until.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (message: BusMessage): string => new TextDecoder().decode(message.data);
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );
const codeThrown = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

export function describeBusContract(name: string, start: () => Promise<BusServer>): void {
  describe(`bus contract on ${name}`, () => {
    let server: BusServer;
    let a: NatsBus;
    let b: NatsBus;
    const dial = (identity: string): Promise<NatsBus> =>
      connectNats({ servers: server.url, ...ADMIN, name: identity, identity, log: noLog, maxReconnectDelayMs: 100 });
    const connect = (identity: string): Promise<NatsBus> => server.join?.(identity) ?? dial(identity);

    beforeAll(async () => {
      server = await start();
      a = await connect('x.a');
      b = await dial('x.b');
    });
    afterAll(async () => {
      await a?.close();
      await b?.close();
      await server?.stop();
    });

    test('messages arrive in order of sending, bytes and subject unchanged', async () => {
      const got: string[] = [];
      b.subscribe('order.*', (message) => void got.push(`${message.subject} ${textOf(message)}`));
      await b.flush();
      const sent = Array.from({ length: 2_000 }, (_, i) => ({
        subject: `order.${i % 3}`,
        text: `${i}`.repeat(i % 50),
      }));
      for (const { subject, text } of sent) expect(a.publish(subject, bytes(text))).toBe(true);
      await until(() => got.length === sent.length, 'all messages');
      expect(got).toEqual(sent.map(({ subject, text }) => `${subject} ${text}`));
    });

    test('wildcards match whole tokens', async () => {
      const got: string[] = [];
      for (const pattern of ['w.*.c', 'w.>', 'w.a.c', 'w.*']) {
        b.subscribe(pattern, (message) => void got.push(`${pattern} ${message.subject}`));
      }
      await b.flush();
      for (const subject of ['w.a.c', 'w.a', 'w', 'w.a.b.c', 'w.b.c', 'wx.a.c']) a.publish(subject, bytes(''));
      await a.flush();
      await b.flush();
      expect(got.sort()).toEqual(
        [
          'w.*.c w.a.c',
          'w.*.c w.b.c',
          'w.> w.a.c',
          'w.> w.a',
          'w.> w.a.b.c',
          'w.> w.b.c',
          'w.a.c w.a.c',
          'w.* w.a',
        ].sort(),
      );
    });

    test('a queue group gets each message once, others get all', async () => {
      const counts = { first: 0, second: 0, third: 0, all: 0 };
      b.subscribe('q.work', () => void counts.first++, { queue: 'workers' });
      b.subscribe('q.*', () => void counts.second++, { queue: 'workers' });
      a.subscribe('q.work', () => void counts.third++, { queue: 'workers' });
      b.subscribe('q.work', () => void counts.all++);
      await a.flush();
      await b.flush();
      for (let i = 0; i < 600; i++) a.publish('q.work', bytes('x'));
      await a.flush();
      await until(() => counts.all === 600 && counts.first + counts.second + counts.third === 600, 'each once');
      for (const count of [counts.first, counts.second, counts.third]) expect(count).toBeGreaterThan(50);
    });

    test('a request is answered, with headers both ways and binary payloads', async () => {
      const data = Uint8Array.from({ length: 256 }, (_, i) => i);
      b.subscribe('echo.all', (message) => {
        message.respond(message.data, { 'X-Seen': message.header('x-kind') ?? 'none' });
      });
      await b.flush();
      const answer = await a.request('echo.all', data, { timeoutMs: 5_000, headers: { 'X-Kind': 'a kind' } });
      expect(new Uint8Array(answer.data)).toEqual(data);
      expect(answer.data.constructor).toBe(Uint8Array);
      expect(answer.header('X-Seen')).toBe('a kind');
      expect(answer.header('X-Other')).toBeUndefined();
      const empty = await a.request('echo.all', new Uint8Array(0), { timeoutMs: 5_000 });
      expect([empty.data.length, empty.header('X-Seen')]).toEqual([0, 'none']);
    });

    test('a connection can ask itself', async () => {
      a.subscribe('self', (message) => message.respond(bytes('me')));
      expect(textOf(await a.request('self', bytes(''), { timeoutMs: 5_000 }))).toBe('me');
    });

    test('1,000 requests at once get their own answers, only the first of each counting', async () => {
      b.subscribe('many', (message) => {
        message.respond(message.data);
        message.respond(bytes('a second answer'));
      });
      await b.flush();
      const asked = Array.from({ length: 1_000 }, (_, i) => `${i}`);
      const answers = await Promise.all(asked.map((text) => a.request('many', bytes(text), { timeoutMs: 20_000 })));
      expect(answers.map(textOf)).toEqual(asked);
    });

    test('a request that nobody listens to fails at once', async () => {
      const began = performance.now();
      await expect(a.request('nobody.here', bytes(''), { timeoutMs: 30_000 })).rejects.toMatchObject({
        code: 'NO_RESPONDERS',
        retryable: true,
        message: 'nobody listens on nobody.here',
      });
      expect(performance.now() - began).toBeLessThan(10_000);
    });

    test('a request that is not answered times out, neither early nor late', async () => {
      b.subscribe('silent', () => undefined);
      await b.flush();
      const times = await Promise.all(
        [30, 100, 205].map(async (timeoutMs) => {
          const began = performance.now();
          expect(await codeOf(a.request('silent', bytes(''), { timeoutMs }))).toBe('REQUEST_TIMEOUT');
          return performance.now() - began - timeoutMs;
        }),
      );
      for (const late of times) {
        expect(late).toBeGreaterThanOrEqual(-1);
        expect(late).toBeLessThan(1_000);
      }
    });

    test("a request ends with its signal's reason", async () => {
      b.subscribe('aborted', () => undefined);
      await b.flush();
      const reason = new Error('changed my mind');
      const aborter = new AbortController();
      const asked = a.request('aborted', bytes(''), { timeoutMs: 30_000, signal: aborter.signal });
      aborter.abort(reason);
      await expect(asked).rejects.toBe(reason);
      await expect(a.request('aborted', bytes(''), { timeoutMs: 1, signal: aborter.signal })).rejects.toBe(reason);
    });

    test('a message of exactly the limit passes, one byte more is refused here and the connection lives', async () => {
      expect(a.maxPayload).toBe(MAX_PAYLOAD);
      b.subscribe('large', (message) => {
        if (message.data.length < 10) message.respond(new Uint8Array(MAX_PAYLOAD + 1));
        else message.respond(bytes(`${message.data.length}`));
      });
      await b.flush();
      const answer = await a.request('large', new Uint8Array(MAX_PAYLOAD), { timeoutMs: 5_000 });
      expect(textOf(answer)).toBe(`${MAX_PAYLOAD}`);
      const tooLarge = new Uint8Array(MAX_PAYLOAD + 1);
      expect(codeThrown(() => a.publish('large', tooLarge))).toBe('PAYLOAD_TOO_LARGE');
      expect(await codeOf(a.request('large', tooLarge, { timeoutMs: 5_000 }))).toBe('PAYLOAD_TOO_LARGE');
      const withHeaders = codeThrown(() => a.publish('large', new Uint8Array(MAX_PAYLOAD), { headers: { k: 'v' } }));
      expect(withHeaders).toBe('PAYLOAD_TOO_LARGE');
      const before = b.counters.handlerErrors;
      expect(await codeOf(a.request('large', bytes('hi'), { timeoutMs: 100 }))).toBe('REQUEST_TIMEOUT');
      expect(b.counters.handlerErrors).toBe(before + 1);
    });

    test.each(['', 'a b', 'a..b', '.a', 'a.', 'a.*', '>', 'a\r\nPUB b 0', 'a\tb'])(
      'subject %j is refused',
      async (subject) => {
        expect(codeThrown(() => a.publish(subject, bytes('')))).toBe('BAD_SUBJECT');
        expect(await codeOf(a.request(subject, bytes(''), { timeoutMs: 100 }))).toBe('BAD_SUBJECT');
        if (subject !== 'a.*' && subject !== '>') {
          expect(codeThrown(() => a.subscribe(subject, () => undefined))).toBe('BAD_SUBJECT');
        }
      },
    );

    test('a handler that throws or rejects is logged and counted, and harms nothing', async () => {
      const { log, entries } = makeLogList();
      const bus =
        (await server.join?.('x.t', log)) ??
        (await connectNats({ servers: server.url, ...ADMIN, name: 'thrower', identity: 'x.t', log }));
      let seen = 0;
      bus.subscribe('throw.sync', () => {
        seen++;
        throw new Error('thrown by a test');
      });
      bus.subscribe('throw.async', async () => {
        seen++;
        await Promise.resolve();
        throw new Error('rejected by a test');
      });
      bus.subscribe('throw.not', (message) => message.respond(bytes('fine')));
      await bus.flush();
      for (let i = 0; i < 5; i++) {
        a.publish('throw.sync', bytes(''));
        a.publish('throw.async', bytes(''));
      }
      expect(textOf(await a.request('throw.not', bytes(''), { timeoutMs: 5_000 }))).toBe('fine');
      await until(() => bus.counters.handlerErrors === 10, 'ten errors');
      expect(seen).toBe(10);
      expect(entries.filter(({ message }) => message === 'a bus handler failed').length).toBeGreaterThan(0);
      expect(bus.connected).toBe(true);
      await bus.close();
    });

    test('never says that nobody is reached where somebody is', async () => {
      expect(a.reaches('reach')).toBe(server.join === undefined);
      for (const pattern of ['reach.one.>', 'reach.>', 'reach.*.two', '*.one.two', '>']) {
        const subscription = b.subscribe(pattern, () => undefined);
        await b.flush();
        expect([pattern, a.reaches('reach'), a.reaches('reach.one')]).toEqual([pattern, true, true]);
        subscription.unsubscribe();
        await b.flush();
      }
      const own = a.subscribe('reach.one', () => undefined);
      expect(a.reaches('reach')).toBe(true);
      own.unsubscribe();
      expect(a.reaches('reach')).toBe(server.join === undefined);
    });

    test('an ended subscription gets nothing more', async () => {
      let seen = 0;
      const subscription = b.subscribe('ended', () => void seen++);
      await b.flush();
      a.publish('ended', bytes(''));
      await a.flush();
      await until(() => seen === 1, 'the first message');
      subscription.unsubscribe();
      subscription.unsubscribe();
      await b.flush();
      a.publish('ended', bytes(''));
      await a.flush();
      await b.flush();
      expect(seen).toBe(1);
    });

    test('flush resolves when the server has seen everything before', async () => {
      let seen = 0;
      b.subscribe('flushed', () => void seen++);
      await b.flush();
      for (let i = 0; i < 100; i++) a.publish('flushed', bytes('x'));
      await a.flush();
      await b.flush();
      expect(seen).toBe(100);
    });

    test('an answer goes only to an inbox: nobody can make another speak for him', async () => {
      const got: string[] = [];
      b.subscribe('deputy', (message) => message.respond(bytes('in your name')));
      b.subscribe('forged.subject', (message) => void got.push(textOf(message)));
      await b.flush();
      a.publish('deputy', bytes(''), { reply: 'forged.subject' });
      await a.flush();
      await b.flush();
      await a.flush();
      await b.flush();
      expect(got).toEqual([]);
    });

    test('close sends what was published, rejects what waits, and is final', async () => {
      const got: string[] = [];
      b.subscribe('last.words', (message) => void got.push(textOf(message)));
      b.subscribe('never.answered', () => undefined);
      await b.flush();
      const bus = await connect('x.c');
      const statuses: BusStatus[] = [];
      bus.onStatus((status) => statuses.push(status));
      const waiting = codeOf(bus.request('never.answered', bytes(''), { timeoutMs: 30_000 }));
      bus.publish('last.words', bytes('bye'));
      await bus.close();
      await bus.close();
      expect(await waiting).toBe('BUS_CLOSED');
      await until(() => got.length === 1, 'the last words');
      expect(statuses).toEqual([{ type: 'closed' }]);
      expect(bus.connected).toBe(false);
      expect(codeThrown(() => bus.publish('x', bytes('')))).toBe('BUS_CLOSED');
      expect(codeThrown(() => bus.subscribe('x', () => undefined))).toBe('BUS_CLOSED');
      expect(await codeOf(bus.request('x', bytes(''), { timeoutMs: 10 }))).toBe('BUS_CLOSED');
      expect(await codeOf(bus.flush())).toBe('BUS_CLOSED');
    });

    test('wrong credentials are refused in one line that names the server and not the password', async () => {
      const refused = connectNats({
        servers: server.url.replace('://', '://admin:not-the-password@'),
        name: 'intruder',
        identity: 'x.i',
        log: noLog,
      });
      await expect(refused).rejects.toMatchObject({
        code: 'AUTH_FAILED',
        message: `${server.url} refused the credentials of user "admin"`,
      });
    });

    test('credentials in the URL are used', async () => {
      const url = server.url.replace('://', `://${ADMIN.user}:${ADMIN.password}@`);
      const bus = await connectNats({ servers: url, name: 'url', identity: 'x.u', log: noLog });
      await bus.flush();
      expect(bus.server).toBe(server.url);
      await bus.close();
    });

    test('over a restart: nothing is queued, what waits is rejected at once, subscriptions survive', async ({
      skip,
    }) => {
      skip(server.join !== undefined, 'a broker inside the process is there as long as the process needs it');
      const bus = await connect('x.r');
      const other = await connect('x.s');
      const statuses: string[] = [];
      bus.onStatus(({ type }) => statuses.push(type));
      const got: string[] = [];
      bus.subscribe('survivor', (message) => void got.push(textOf(message)));
      other.subscribe('mute', () => undefined);
      await bus.flush();
      await other.flush();
      const waiting = codeOf(bus.request('mute', bytes(''), { timeoutMs: 600_000 }));
      await server.restart(async () => {
        expect(await waiting).toBe('BUS_DISCONNECTED');
        await until(() => !bus.connected && !other.connected, 'disconnection');
        expect(other.publish('survivor', bytes('while down'))).toBe(false);
        expect(await codeOf(other.request('survivor', bytes(''), { timeoutMs: 600_000 }))).toBe('BUS_DISCONNECTED');
        expect(await codeOf(other.flush())).toBe('BUS_DISCONNECTED');
        expect(codeThrown(() => other.publish('', bytes('')))).toBe('BAD_SUBJECT');
        bus.subscribe('subscribed.meanwhile', (message) => void got.push(textOf(message)));
      });
      await until(() => bus.connected && other.connected && a.connected && b.connected, 'reconnection', 30_000);
      await bus.flush();
      other.publish('survivor', bytes('again'));
      other.publish('subscribed.meanwhile', bytes('and this'));
      await until(() => got.length >= 2, 'messages after the restart');
      expect(got).toEqual(['again', 'and this']);
      expect(statuses).toEqual(['disconnected', 'connected']);
      expect(bus.counters.connects).toBe(2);
      await bus.close();
      await other.close();
    });
  });
}
