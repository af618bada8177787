/** Who may say and hear what, on whatever server: run by each bus-*.test.ts in this folder. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BusMessage } from '../../bus/bus.ts';
import type { Identity } from '../../bus/identity.ts';
import { connectNats } from '../../bus/nats-bus.ts';
import type { NatsBus } from '../../bus/nats-bus.ts';
import type { BusServer } from '../support/bus-server.ts';
import { ADMIN, passwordOf } from '../support/bus-server.ts';
import { noLog } from '../support/log-list.ts';
import { until } from '../support/until.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Subjects that each identity may publish to, of those below. */
const publishes: Readonly<Record<string, readonly Identity[]>> = {
  'polaron.api.kim.submit': ['u.kim'],
  'polaron.api.lee.submit': ['u.lee'],
  'polaron.event.kim.d1.electron.completed': ['hub.n1'],
  'polaron.up.s1.a1.sync': ['a.s1.a1'],
  'polaron.up.s1.a1.done': ['a.s1.a1'],
  'polaron.up.s1.a2.done': ['a.s1.a2'],
  'polaron.up.s2.a1.done': ['a.s2.a1'],
  'polaron.down.s1.a1.assign': ['hub.n1'],
  'polaron.down.all.probe': ['hub.n1'],
  'polaron.capability.gpu.probe': ['hub.n1', 'u.kim', 'u.lee', 'o.web', 'audit.eye'],
  'polaron.capability.gpu.wake': ['hub.n1'],
  'polaron.blob.s1.a1.get': ['a.s1.a1'],
  'polaron.blob.s2.a1.get': ['a.s2.a1'],
  'polaron.blob.u.kim.put': ['u.kim'],
  'polaron.actor.n1.electron.x': ['hub.n1'],
  '_INBOX.u.kim.abc.1': ['hub.n1'],
  '_INBOX.hub.n1.abc.1': ['hub.n1'],
  '$SRV.PING': ['hub.n1', 'u.kim', 'u.lee', 'o.web', 'audit.eye'],
  '$SRV.STATS.polaron-agent.s1_a1': ['hub.n1', 'u.kim', 'u.lee', 'o.web', 'audit.eye'],
  'other.subject': [],
};

/** Patterns that each identity may subscribe to. */
const subscribes: Readonly<Record<string, readonly Identity[]>> = {
  '>': [],
  'polaron.>': ['audit.eye'],
  '_INBOX.>': ['audit.eye'],
  'polaron.api.>': ['hub.n1', 'audit.eye'],
  'polaron.up.>': ['hub.n1', 'audit.eye'],
  'polaron.blob.>': ['hub.n1', 'audit.eye'],
  'polaron.event.>': ['o.web', 'audit.eye'],
  'polaron.event.kim.>': ['u.kim', 'o.web', 'audit.eye'],
  'polaron.event.lee.>': ['u.lee', 'o.web', 'audit.eye'],
  'polaron.actor.>': ['hub.n1', 'o.web', 'audit.eye'],
  'polaron.down.s1.a1.>': ['a.s1.a1', 'audit.eye'],
  'polaron.down.s1.a1.assign': ['a.s1.a1', 'audit.eye'],
  'polaron.down.s1.*.assign': ['audit.eye'],
  'polaron.down.all.probe': ['a.s1.a1', 'a.s1.a2', 'a.s2.a1', 'audit.eye'],
  'polaron.capability.gpu.*': ['a.s1.a1', 'a.s1.a2', 'a.s2.a1', 'audit.eye'],
  '_INBOX.u.kim.>': ['u.kim', 'audit.eye'],
  '_INBOX.u.*.>': ['audit.eye'],
  '_INBOX.a.s1.a1.>': ['a.s1.a1', 'audit.eye'],
};

const everyone: readonly Identity[] = [
  'hub.n1',
  'a.s1.a1',
  'a.s1.a2',
  'a.s2.a1',
  'u.kim',
  'u.lee',
  'o.web',
  'audit.eye',
];

export function describeBusPermissions(name: string, start: () => Promise<BusServer>): void {
  describe(`permissions on ${name}`, () => {
    let server: BusServer;
    let admin: NatsBus;
    const buses = new Map<Identity, NatsBus>();
    const busOf = (identity: Identity): NatsBus => {
      const bus = buses.get(identity);
      if (bus === undefined) throw new Error(identity);
      return bus;
    };

    beforeAll(async () => {
      server = await start();
      admin = await connectNats({ servers: server.url, ...ADMIN, name: 'admin', identity: 'x.admin', log: noLog });
      for (const identity of everyone) {
        const password = passwordOf(identity);
        buses.set(
          identity,
          await connectNats({ servers: server.url, user: identity, password, name: identity, identity, log: noLog }),
        );
      }
    });
    afterAll(async () => {
      await Promise.all([admin, ...buses.values()].map((bus) => bus?.close()));
      await server?.stop();
    });

    test('each identity publishes what its part needs and nothing else', async () => {
      const heard: string[] = [];
      const listening = admin.subscribe('>', ({ subject, data }) => {
        const from = new TextDecoder().decode(data);
        if (from.startsWith('from ')) heard.push(`${from} ${subject}`);
      });
      await admin.flush();
      for (const [identity, bus] of buses) {
        for (const subject of Object.keys(publishes)) bus.publish(subject, bytes(`from ${identity}`));
        await bus.flush();
      }
      await admin.flush();
      listening.unsubscribe();
      const wanted = Object.entries(publishes).flatMap(([subject, who]) => who.map((by) => `from ${by} ${subject}`));
      expect(heard.sort()).toEqual(wanted.sort());
    });

    test('each identity hears what its part needs and nothing else', async () => {
      const accepted: string[] = [];
      for (const [identity, bus] of buses) {
        for (const pattern of Object.keys(subscribes)) {
          let refused = false;
          const stop = bus.onStatus((status) => {
            if (status.type === 'refused' && status.reason.includes(`"${pattern}"`)) refused = true;
          });
          const subscription = bus.subscribe(pattern, () => undefined);
          await bus.flush();
          // The refusal comes before the answer to the flush.
          if (!refused) accepted.push(`${identity} ${pattern}`);
          stop();
          subscription.unsubscribe();
        }
      }
      const wanted = Object.entries(subscribes).flatMap(([pattern, who]) => who.map((by) => `${by} ${pattern}`));
      expect(accepted.sort()).toEqual(wanted.sort());
    });

    test('an auditor joins no queue group but that of auditors: it would take from others what they wait for', async () => {
      const joins: string[] = [];
      const eye = busOf('audit.eye');
      for (const pattern of ['polaron.>', 'polaron.api.>', 'polaron.api.kim.list', '_INBOX.>', '_INBOX.u.kim.>'])
        for (const queue of ['dispatchers', 'q', 'auditors']) {
          let refused = false;
          const stop = eye.onStatus((status) => {
            if (status.type === 'refused' && status.reason.includes(`"${pattern}" using queue "${queue}"`))
              refused = true;
          });
          const subscription = eye.subscribe(pattern, () => undefined, { queue });
          await eye.flush();
          if (!refused) joins.push(queue);
          stop();
          subscription.unsubscribe();
        }
      expect(joins).toEqual(Array.from({ length: 5 }, () => 'auditors'));
    });

    test('what an auditor hears as well, whoever it is meant for gets all of', async () => {
      const [hub, kim, eye] = [busOf('hub.n1'), busOf('u.kim'), busOf('audit.eye')];
      const heard = { hub: 0, eye: 0 };
      const answer = (message: BusMessage): void => {
        heard.hub++;
        message.respond(bytes('yes'));
      };
      const answering = hub.subscribe('polaron.api.>', answer, { queue: 'dispatchers' });
      const listening = ['polaron.>', '_INBOX.>'].flatMap((pattern) => [
        eye.subscribe(pattern, () => void heard.eye++),
        eye.subscribe(pattern, () => void heard.eye++, { queue: 'dispatchers' }),
      ]);
      await Promise.all([hub.flush(), eye.flush()]);
      const asked = Array.from({ length: 50 }, () =>
        kim.request('polaron.api.kim.list', bytes('?'), { timeoutMs: 10_000 }),
      );
      expect(await Promise.all(asked)).toHaveLength(50);
      await until(() => heard.eye >= 100, 'the auditor hears each question and each answer');
      expect(heard).toEqual({ hub: 50, eye: 100 });
      for (const subscription of [answering, ...listening]) subscription.unsubscribe();
    });

    test('a forbidden request is rejected at once', async () => {
      for (const [identity, subject] of [
        ['u.kim', 'polaron.up.s1.a1.done'],
        ['u.kim', 'polaron.down.s1.a1.assign'],
        ['u.kim', 'polaron.api.lee.list'],
        ['a.s1.a1', 'polaron.up.s1.a2.done'],
        ['a.s1.a1', 'polaron.api.kim.list'],
        ['o.web', 'polaron.api.kim.cancel'],
        ['audit.eye', 'polaron.api.kim.cancel'],
      ] as const) {
        await expect(busOf(identity).request(subject, bytes(''), { timeoutMs: 60_000 })).rejects.toMatchObject({
          code: 'PERMISSION_DENIED',
          message: `${identity} may not send to ${subject}`,
        });
      }
    });

    test('a refused publish is told as a status, and the connection goes on', async () => {
      const bus = busOf('u.kim');
      const reasons: string[] = [];
      const stop = bus.onStatus((status) => {
        if (status.type === 'refused') reasons.push(status.reason);
      });
      const before = bus.counters.refusals;
      bus.publish('polaron.up.s1.a1.done', bytes(''));
      await bus.flush();
      await until(() => reasons.length > 0, 'the refusal');
      stop();
      expect(reasons).toEqual([expect.stringContaining('polaron.up.s1.a1.done')]);
      expect(bus.counters.refusals).toBe(before + 1);
      expect(bus.connected).toBe(true);
    });

    test('user, hub and agent talk as the protocol wants', async () => {
      const hub = busOf('hub.n1');
      const agent = busOf('a.s1.a1');
      const user = busOf('u.kim');
      agent.subscribe('polaron.down.s1.a1.>', (message) => message.respond(bytes('accepted')));
      hub.subscribe('polaron.up.>', (message) => message.respond(bytes('committed')));
      hub.subscribe('polaron.api.>', (message) => message.respond(bytes('listed')), { queue: 'dispatchers' });
      await agent.flush();
      await hub.flush();
      const ask = async (bus: NatsBus, subject: string): Promise<string> =>
        new TextDecoder().decode((await bus.request(subject, bytes(''), { timeoutMs: 5_000 })).data);
      expect(await ask(hub, 'polaron.down.s1.a1.assign')).toBe('accepted');
      expect(await ask(agent, 'polaron.up.s1.a1.done')).toBe('committed');
      expect(await ask(user, 'polaron.api.kim.list')).toBe('listed');
    });

    test('an agent may answer a question once, and not again', async () => {
      const agent = busOf('a.s1.a2');
      agent.subscribe('polaron.down.s1.a2.>', (message) => {
        message.respond(bytes('first'));
        message.respond(bytes('second'));
      });
      await agent.flush();
      const got: string[] = [];
      admin.subscribe('_INBOX.hub.n1.once', ({ data }) => void got.push(new TextDecoder().decode(data)));
      await admin.flush();
      admin.publish('polaron.down.s1.a2.assign', bytes(''), { reply: '_INBOX.hub.n1.once' });
      await admin.flush();
      await until(() => got.length > 0, 'the answer');
      await agent.flush();
      await admin.flush();
      expect(got).toEqual(['first']);
      expect(agent.connected).toBe(true);
    });

    test('a password serves only its own identity', async () => {
      const password = passwordOf('u.kim');
      for (const user of ['u.lee', 'hub.n1', 'u.kimm', 'u.*', '>']) {
        await expect(
          connectNats({ servers: server.url, user, password, name: 'x', identity: 'x.p', log: noLog }),
        ).rejects.toMatchObject({ code: 'AUTH_FAILED' });
      }
    });
  });
}
