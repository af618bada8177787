/** Faults and partitions that the embedded broker makes for tests. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Broker } from '../../../bus/broker/broker.ts';
import { startBroker } from '../../../bus/broker/broker.ts';
import type { Delivery, Fault } from '../../../bus/broker/faults.ts';
import type { NatsBus } from '../../../bus/nats-bus.ts';
import { connectNats } from '../../../bus/nats-bus.ts';
import { noLog } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let broker: Broker;
const buses: NatsBus[] = [];
async function start(onDeliver: (delivery: Delivery) => Fault): Promise<readonly [NatsBus, NatsBus]> {
  broker = await startBroker({ auth: 'none', log: noLog, clock: realClock, faults: { onDeliver } });
  return [await connect('hub'), await connect('agent')];
}
async function connect(name: string): Promise<NatsBus> {
  const servers = broker.url;
  const bus = await connectNats({ servers, name, identity: name, log: noLog, maxReconnectDelayMs: 20 });
  buses.push(bus);
  return bus;
}
afterEach(async () => {
  for (const bus of buses.splice(0)) await bus.close();
  await broker.close();
});

describe('the fault hook', () => {
  test('knows from whom to whom, and drops, doubles and delays', async () => {
    const seen: Delivery[] = [];
    const faults: Readonly<Record<string, Fault>> = {
      'f.drop': 'drop',
      'f.twice': 'duplicate',
      'f.late': { delayMs: 30 },
    };
    const [hub, agent] = await start((delivery) => {
      if (delivery.subject.startsWith('f.')) seen.push(delivery);
      return faults[delivery.subject] ?? 'deliver';
    });
    const got: string[] = [];
    agent.subscribe('f.*', ({ subject }) => void got.push(subject));
    await agent.flush();
    for (const subject of ['f.drop', 'f.twice', 'f.late', 'f.plain']) hub.publish(subject, bytes('abc'));
    await until(() => got.length === 4, 'four deliveries');
    expect(got).toEqual(['f.twice', 'f.twice', 'f.plain', 'f.late']);
    expect(seen[0]).toMatchObject({ from: 'hub', to: 'agent', subject: 'f.drop', payloadBytes: 3 });
    expect(broker.stats().dropped).toBe(1);
  });

  test('a dropped request is a timeout and not "no responders"', async () => {
    const [hub, agent] = await start(({ subject }) => (subject === 'ask' ? 'drop' : 'deliver'));
    agent.subscribe('ask', (message) => message.respond(bytes('')));
    await agent.flush();
    await expect(hub.request('ask', bytes(''), { timeoutMs: 50 })).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });
});

describe('partitions', () => {
  test('a silent one loses messages both ways until it heals, with the connection up', async () => {
    const [hub, agent] = await start(() => 'deliver');
    const got: string[] = [];
    agent.subscribe('p.down', ({ data }) => void got.push(`agent ${data.length}`));
    hub.subscribe('p.up', ({ data }) => void got.push(`hub ${data.length}`));
    await agent.flush();
    await hub.flush();
    broker.partition('agent');
    hub.publish('p.down', bytes('1'));
    agent.publish('p.up', bytes('1'));
    await hub.flush();
    await agent.flush();
    broker.heal('agent');
    hub.publish('p.down', bytes('22'));
    agent.publish('p.up', bytes('22'));
    await until(() => got.length === 2, 'messages after healing');
    expect(got.sort()).toEqual(['agent 2', 'hub 2']);
    expect([agent.counters.connects, broker.stats().dropped]).toEqual([1, 2]);
  });

  test('a severed one is cut and kept out until it heals', async () => {
    const [hub, agent] = await start(() => 'deliver');
    agent.subscribe('p.ask', (message) => message.respond(bytes('')));
    await agent.flush();
    broker.partition('agent', 'severed');
    await until(() => !agent.connected, 'the cut');
    await expect(hub.request('p.ask', bytes(''), { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'NO_RESPONDERS',
    });
    const before = broker.stats().connections;
    await until(() => broker.stats().connections > before + 3, 'attempts to come back');
    expect(agent.connected).toBe(false);
    broker.heal();
    await until(() => agent.connected, 'the return');
    await agent.flush();
    await hub.request('p.ask', bytes(''), { timeoutMs: 1_000 });
  });

  test('disconnect cuts once', async () => {
    const [, agent] = await start(() => 'deliver');
    expect(broker.disconnect('agent')).toBe(1);
    expect(broker.disconnect('nobody')).toBe(0);
    await until(() => agent.counters.connects === 2, 'the return');
  });
});
