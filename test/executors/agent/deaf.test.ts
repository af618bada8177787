/** An agent whose connection lives, and to whom answers or assigns don't come any more: a real nats-server that is told other permissions while it runs, a fake hub. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectNats, type NatsBus } from '../../../bus/nats-bus.ts';
import { DeafLine } from '../../../executors/agent/deaf-line.ts';
import { startAgent } from '../../../executors/agent/agent.ts';
import type { Sync, SyncReply } from '../../../bus/protocol/agent.ts';
import type { ErrorCode } from '../../../model/error-table.ts';
import { PolaronError } from '../../../model/errors.ts';
import { FakeClock } from '../../actors/support/fake-clock.ts';
import { fixtureBundle, valueOf } from '../../support/agent-harness.ts';
import { AGENT, FakeHub, SITE, subjects } from '../../support/fake-hub.ts';
import { makeLogList } from '../../support/log-list.ts';
import { anyServer, freePort, runNatsServer } from '../../support/nats-server.ts';
import { realClock } from '../../support/real-clock.ts';
import { withRealPart } from '../../support/real-part.ts';
import { until } from '../../support/until.ts';

const WAIT_MS = 30_000;
const LONG = { timeout: 2 * WAIT_MS };
const LEASE_MS = 1_000;

/** What the agent may not hear. */
const config = (port: number, deny?: string): string => `
listen: 127.0.0.1:${port}
authorization { users: [
  { user: hub, password: hub }
  { user: agent, password: agent, permissions: { publish: ">", subscribe: { allow: ">"${deny === undefined ? '' : `, deny: "${deny}"`} } } }
] }
`;

it('a line is deaf when nothing has come for three leases, not when nobody listens; and then after ever longer times', async () => {
  const clock = new FakeClock();
  let renewed = 0;
  const line = { renew: () => void renewed++ };
  const deaf = new DeafLine({ clock, random: () => 0, lines: [line], say: () => undefined });
  const unanswered = async (code: ErrorCode, seconds: number): Promise<number> => {
    const before = renewed;
    for (let i = 0; i < seconds; i++) {
      await clock.advance(1_000);
      deaf.failed(clock.monotonic() - 1_000, new PolaronError(code, 'no answer'));
      await clock.advance(0);
    }
    return renewed - before;
  };
  deaf.answered({ leaseMs: 10_000 }, 0);
  expect(await unanswered('REQUEST_TIMEOUT', 29)).toBe(0);
  expect(await unanswered('REQUEST_TIMEOUT', 1)).toBe(1);
  expect(await unanswered('REQUEST_TIMEOUT', 59)).toBe(0);
  expect(await unanswered('REQUEST_TIMEOUT', 1)).toBe(1);
  deaf.answered(undefined, 0);
  expect(await unanswered('NO_RESPONDERS', 100)).toBe(0);
  expect(await unanswered('REQUEST_TIMEOUT', 29)).toBe(0);
  deaf.answered({ leaseMs: 10_000 }, 0);
  expect(await unanswered('REQUEST_TIMEOUT', 29)).toBe(0);
});

it('a line is deaf when for a lease answers name assigns of which none comes; one that is late, or at work, is not', async () => {
  const clock = new FakeClock();
  const said: string[] = [];
  let renewed = 0;
  const line = { renew: () => void renewed++ };
  const deaf = new DeafLine({ clock, random: () => 0, lines: [line], say: (text) => said.push(text) });
  const answered = async (seconds: number, sent: number | undefined, seen: (second: number) => number) => {
    const before = renewed;
    for (let i = 1; i <= seconds; i++) {
      await clock.advance(1_000);
      deaf.answered({ leaseMs: 10_000, ...(sent === undefined ? {} : { sent }) }, seen(i));
      await clock.advance(0);
    }
    return renewed - before;
  };
  expect(await answered(60, 100, (second) => second)).toBe(0); // the newest are always on their way
  expect(await answered(9, 100, () => 60)).toBe(0);
  expect(await answered(60, undefined, () => 100)).toBe(0);
  expect(await answered(10, 105, () => 104)).toBe(0);
  expect(await answered(1, 105, () => 104)).toBe(1);
  expect(said).toEqual(['agent: nothing of what the hub assigned has come over the bus for 10 s, dialling it anew']);
  expect(await answered(20, 105, () => 104)).toBe(0);
  expect(await answered(1, 105, () => 104)).toBe(1);
  expect(await answered(1, undefined, () => 105)).toBe(0);
  expect(await answered(11, 107, () => 106)).toBe(1);
});

const deafTo = [
  ['no answer', '_INBOX.>', 'no answer has come over the bus for'],
  ['no assign', 'polaron.down.*.*.assign', 'nothing of what the hub assigned has come over the bus for'],
] as const;

withRealPart('a nats-server', anyServer, 'no nats-server', (binary) => {
  it.each(deafTo)('dials anew when %s comes any more, and works again', LONG, async (_, deny, said) => {
    const dir = mkdtempSync(join(tmpdir(), 'polaron-deaf-'));
    const port = await freePort();
    const file = join(dir, 'nats.conf');
    writeFileSync(file, config(port));
    const server = await runNatsServer(binary, file, []);
    const reload = (denied?: string): void => {
      writeFileSync(file, config(port, denied));
      process.kill(server.pid, 'SIGHUP');
    };
    const logs = makeLogList();
    const connect = (name: string, identity: string): Promise<NatsBus> =>
      connectNats({ servers: `nats://127.0.0.1:${port}`, user: name, password: name, name, identity, log: logs.log });
    const [hubBus, bus] = await Promise.all([connect('hub', 'hub.n1'), connect('agent', `a.${SITE}.${AGENT}`)]);
    const hub = new FakeHub(hubBus);
    hub.useBundle(fixtureBundle);
    hub.syncAnswer = ({ seq, seen }: Sync): SyncReply => ({
      ...{ type: 'ok', hub: hub.hub, history: hub.history, seq, leaseMs: LEASE_MS, heartbeatMs: 100 },
      ...{ drop: [], cancel: [], ...(hub.n > seen ? { sent: hub.n } : {}) },
    });
    const agent = await startAgent({
      ...{ bus, subjects, site: SITE, name: AGENT, slots: 1, capabilities: ['process'], stateDir: join(dir, 'state') },
      ...{ clock: realClock, log: logs.log, version: '0.0.0', heartbeatMs: 100, graceMs: 150, spareRunner: false },
    });
    try {
      await agent.joined;
      reload(deny);
      await until(() => bus.counters.refusals > 0, 'the server takes a subscription from it', WAIT_MS);
      reload();
      if (deny !== '_INBOX.>')
        await expect(hub.assign({ 9: { electron: 'add', args: [0, 0] } })).rejects.toMatchObject({
          code: 'NO_RESPONDERS',
        });
      // its syncs still arrive, and are answered
      const before = hub.syncs.length;
      await until(() => hub.syncs.length > before, 'a sync', WAIT_MS);
      expect(bus.counters.connects).toBe(1);
      await until(() => bus.counters.connects > 1, 'it dials anew', WAIT_MS);
      // what it subscribes to is sent now, and may not be at the server
      await bus.flush();
      expect(JSON.stringify(logs.entries)).toContain(said);
      await hub.assignAll({ 1: { electron: 'add', args: [1, 2] } });
      expect(valueOf(await hub.outcome(1, WAIT_MS))).toBe(3);
    } finally {
      await agent.stop();
      await Promise.all([bus.close(), hubBus.close()]);
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
