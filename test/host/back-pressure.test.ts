/** Clients that submit far faster than the disk writes: the hub says HUB_BUSY, what waits in it stays bounded, and every dispatch ends. */
import { connect, lattice } from 'polaron';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startBroker, type Broker } from '../../bus/broker/broker.ts';
import { credentialsFor, makeAuthenticator } from '../../bus/credentials.ts';
import { connectNats } from '../../bus/nats-bus.ts';
import type { Bus, BusMessage, Headers, Subscription } from '../../bus/bus.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { startHubCore, type HubCore } from '../../host/hub-core.ts';
import { systemRandom } from '../../host/random.ts';
import { noLog } from '../support/log-list.ts';
import { realClock } from '../support/real-clock.ts';
import { openSlowStore, type SlowStore } from '../support/slow-store.ts';

const subjects = makeSubjects();
const secret = 'a secret';
/** No electrons, so no agents: what costs is accepting, and the end's record. */
const echo = lattice(function echo(x: number) {
  return x;
});

const perClient = 250;

/** The hub's bus, which counts the answers that say HUB_BUSY. */
function countingRefusals(inner: Bus): Bus {
  return spiedBus(inner, (message) => ({
    get: (target, name) => {
      if (name !== 'respond') return own(target, name);
      return (data: Uint8Array, headers?: Headers): void => {
        if (Buffer.from(data).includes('HUB_BUSY')) busy++;
        message.respond(data, headers);
      };
    },
  }));
}
/** A member as the object itself has it: private fields don't go through a proxy. */
function own(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name);
  return typeof member === 'function' ? (...args: unknown[]): unknown => Reflect.apply(member, target, args) : member;
}
function spiedBus(inner: Bus, spy: (message: BusMessage) => ProxyHandler<BusMessage>): Bus {
  return new Proxy(inner, {
    get: (target, name) => {
      if (name !== 'subscribe') return own(target, name);
      return (...[subject, handler, options]: Parameters<Bus['subscribe']>): Subscription =>
        inner.subscribe(subject, (message) => handler(new Proxy(message, spy(message))), options);
    },
  });
}

let broker: Broker;
let bus: Bus;
let slow: SlowStore;
let core: HubCore;
let busy: number;

beforeEach(async () => {
  broker = await startBroker({ port: 0, auth: makeAuthenticator(secret, subjects), log: noLog, clock: realClock });
  const login = credentialsFor(secret, 'hub.n1');
  bus = await connectNats({ servers: broker.url, name: 'hub.n1', identity: 'hub.n1', log: noLog, ...login });
  slow = openSlowStore(60);
  busy = 0;
  core = await startHubCore({
    bus: countingRefusals(bus),
    subjects,
    node: 'n1',
    results: { store: slow.store },
    clock: realClock,
    random: systemRandom(),
    log: noLog,
    leases: { leaseMs: 15_000, heartbeatMs: 2_000 },
    traceActors: false,
    about: { version: '0', bus: broker.url, data: '', startedAt: 0 },
    onFatal: (error) => {
      throw error;
    },
    onAgentReady: () => undefined,
    onResultsRestart: () => () => undefined,
  });
});
afterEach(async () => {
  core.stop();
  slow.close();
  await bus.close();
  await broker.close();
});

it('are told HUB_BUSY and try again until all of their dispatches have ended', async () => {
  const url = new URL(broker.url);
  Object.assign(url, { username: 'u.kim', password: credentialsFor(secret, 'u.kim').password });
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect({ bus: url.href })));
  try {
    const values = clients.flatMap((client, c) =>
      Array.from({ length: perClient }, async (_, i) => client.getValue(await client.dispatch(echo)(1_000 * c + i))),
    );
    const wanted = clients.flatMap((_, c) => Array.from({ length: perClient }, (_, i) => 1_000 * c + i));
    expect(await Promise.all(values)).toEqual(wanted);
    expect(busy).toBeGreaterThan(0);
    // A dispatch without electrons costs eight or nine operations; were nobody refused, all of them would wait at once.
    expect(slow.mostWaiting()).toBeLessThan(1_100 * 9);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
});
