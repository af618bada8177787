/** What the contract doesn't say of a bus in the broker's own process: when it hands over, and what faults and an end of the broker do to it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBroker, type Broker } from '../../../bus/broker/broker.ts';
import { connectBroker } from '../../../bus/broker-bus.ts';
import { connectNats, type NatsBus } from '../../../bus/nats-bus.ts';
import { noLog } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';

describe('a bus inside the broker', () => {
  const text = (message: { readonly data: Uint8Array }): string => Buffer.from(message.data).toString();
  let broker: Broker;
  let inside: NatsBus;
  let outside: NatsBus;

  beforeEach(async () => {
    broker = await startBroker({ auth: 'none', log: noLog, clock: realClock });
    inside = await connectBroker(broker, { name: 'hub', identity: 'hub.n1', log: noLog });
    outside = await connectNats({ servers: broker.url, name: 'agent', identity: 'a.s.one', log: noLog });
  });
  afterEach(async () => {
    await outside.close();
    await inside.close();
    await broker.close();
  });

  it('calls nobody back in the middle of a publish, and hands over in order', async () => {
    const seen: string[] = [];
    inside.subscribe('own', (message) => {
      seen.push(text(message));
      if (text(message) === 'first') inside.publish('own', Buffer.from('third'));
    });
    inside.publish('own', Buffer.from('first'));
    inside.publish('own', Buffer.from('second'));
    expect(seen).toEqual([]);
    await inside.flush();
    await inside.flush();
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  it('hands over nothing to a subscription that ended in the same turn', async () => {
    const seen: string[] = [];
    const first = inside.subscribe('own', (message) => {
      seen.push(text(message));
      first.unsubscribe();
    });
    inside.publish('own', Buffer.from('one'));
    inside.publish('own', Buffer.from('two'));
    await inside.flush();
    expect(seen).toEqual(['one']);
  });

  it('is met by a silent partition in both directions, until it heals', async () => {
    const seen: string[] = [];
    inside.subscribe('in', (message) => void seen.push(`in ${text(message)}`));
    outside.subscribe('out', (message) => void seen.push(`out ${text(message)}`));
    await outside.flush();
    const both = async (what: string): Promise<void> => {
      inside.publish('out', Buffer.from(what));
      outside.publish('in', Buffer.from(what));
      await outside.flush();
      await inside.flush();
    };
    broker.partition('hub', 'silent');
    await both('lost');
    broker.heal('hub');
    await both('kept');
    await until(() => seen.length === 2, 'both messages');
    expect(seen.toSorted()).toEqual(['in kept', 'out kept']);
  });

  it('keeps payloads of every size whole both ways', async () => {
    inside.subscribe('echo', (message) => message.respond(message.data));
    await inside.flush();
    for (let size = 1; size <= 1_000_000; size = size * 7 + 1) {
      const data = Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 0xff);
      const answer = await outside.request('echo', data, { timeoutMs: 5_000 });
      expect(Buffer.compare(answer.data, data)).toBe(0);
    }
  });

  it('is over with its broker: what waits is rejected, nothing is taken any more', async () => {
    const statuses: string[] = [];
    inside.onStatus(({ type }) => statuses.push(type));
    inside.subscribe('silent', () => undefined);
    const waiting = inside.request('silent', Buffer.from(''), { timeoutMs: 60_000 });
    const ends = expect(waiting).rejects.toMatchObject({ code: 'BUS_DISCONNECTED' });
    await broker.close();
    await ends;
    expect([inside.connected, inside.publish('own', Buffer.from('late')), statuses]).toEqual([
      false,
      false,
      ['disconnected'],
    ]);
    await expect(inside.flush()).rejects.toMatchObject({ code: 'BUS_DISCONNECTED' });
  });
});
