/**
 * Agents at the end of a long wire: 100 ms each way, which stalls and breaks now and then. With a lease for such links every electron is executed once, as with none of that;
 * and a step of a chain costs a bounded number of round trips.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditorIdentity, agentIdentity } from '../../bus/identity.ts';
import { credentialsFor } from '../../bus/credentials.ts';
import { loadIdentity } from '../../host/data-folder.ts';
import { pipelined } from '../fault/chaos/electrons.ts';
import { randomFrom } from '../fault/chaos/random.ts';
import { RealHub, type Running } from '../support/real-hub.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { markProcesses, Witness } from '../support/witness.ts';
import { anywhere, heavyChain } from './workflows/sites.ts';

const ONE_WAY_MS = 100;
const ROUND_TRIP_MS = 2 * ONE_WAY_MS;
/** What docs/guides/sites.md names for such a link; said where the hub starts, agents are told. */
const LEASES = { leaseMs: 45_000, heartbeatMs: 2_000 };
const TROUBLE_MS = 15_000;
const LONGEST_STALL_MS = 4_000;

const hub = new RealHub({ start: ['--no-agent'], env: { POLARON_LEASE_MS: String(LEASES.leaseMs) } });
markProcesses(hub);
const agents: Running[] = [];
const links: TcpProxy[] = [];
let witness: Witness;

async function startAgent(name: string, secret: string): Promise<void> {
  const { bus } = hub.file();
  const link = await startTcpProxy(Number(new URL(bus).port), { delayMs: ONE_WAY_MS });
  links.push(link);
  const { user, password } = credentialsFor(secret, agentIdentity('away', name));
  const home = join(hub.home, `home-${name}`);
  mkdirSync(home);
  const at = ['agent', '--bus', `nats://${user}:${password}@127.0.0.1:${link.port}`, '--slots', '2'];
  // it isn't told of the lease
  const agent = hub.launchPolaron(at, { POLARON_HOME: home, POLARON_LEASE_MS: '' });
  agents.push(agent);
  await until(() => agent.out().includes('ready'), `${name} joins: ${agent.err()}`, 60_000);
}

async function stop(): Promise<void> {
  for (const { child } of agents) child.kill('SIGTERM');
  await Promise.all(agents.map(({ finished }) => finished));
  await hub.stop();
}

beforeAll(async () => {
  const { bus, userUrl } = await hub.start();
  const { secret } = loadIdentity(join(hub.home, 'data'));
  await Promise.all(['a1', 'a2'].map((name) => startAgent(name, secret)));
  const { user, password } = credentialsFor(secret, auditorIdentity('ear'));
  witness = await Witness.open({ hub, leases: LEASES, url: userUrl, ear: { url: bus, user, pass: password } });
}, 120_000);
afterAll(async () => {
  await witness?.close();
  for (const link of links) link.resume();
  await hub.close();
  await Promise.all(links.map((link) => link.close()));
}, 60_000);

/** Round trips that a step takes: those that a long chain has more than a short one. */
async function roundTrips(chain: (length: number) => Promise<unknown>): Promise<number> {
  const [short, long] = [2, 12];
  // its code is at the agents after that
  await chain(short);
  const began = performance.now();
  await chain(short);
  const between = performance.now();
  await chain(long);
  const [ofShort, ofLong] = [between - began, performance.now() - between];
  return (ofLong - ofShort) / (long - short) / ROUND_TRIP_MS;
}

it('a step of a chain costs a bounded number of round trips', { timeout: 180_000 }, async () => {
  const { client, notes } = witness;
  const small = await roundTrips(async (length) =>
    client.getValue(await client.dispatch(pipelined)(notes.file, length, 0)),
  );
  const large = await roundTrips(async (length) =>
    client.getValue(await client.dispatch(heavyChain)(notes.file, length, 200_000)),
  );
  console.log(
    `slow link: a step of a chain costs ${small.toFixed(2)} round trips of ${ROUND_TRIP_MS} ms, with values of 200 kB ${large.toFixed(2)}`,
  );
  expect(small).toBeLessThan(2);
  expect(large).toBeLessThan(6);
});

it('stalls and breaks within a lease cost no attempt', { timeout: 240_000 }, async () => {
  const seed = Date.now() % 1_000_000;
  const random = randomFrom(seed);
  for (let lane = 0; lane < 3; lane++) witness.load(seed + lane + 1, anywhere);
  let [stalls, breaks] = [0, 0];
  const trouble = async (link: TcpProxy): Promise<void> => {
    const end = Date.now() + TROUBLE_MS;
    while (Date.now() < end) {
      await sleep(random.between(200, 3_000));
      if (random.between(0, 1) === 0) {
        stalls++;
        link.stall();
        await sleep(random.between(500, LONGEST_STALL_MS));
        link.resume();
      } else {
        breaks++;
        link.cut();
      }
    }
  };
  await Promise.all(links.map(trouble));
  const connections = links.reduce((sum, link) => sum + link.connections(), 0);
  const { account, verdict, alone, refused, line } = await witness.finish(stop);
  console.log(`slow link: seed ${seed}, ${stalls} stalls, ${breaks} breaks, ${connections} connections: ${line}`);
  expect(verdict.violations).toEqual([]);
  expect(alone.overlaps).toEqual([]);
  expect(refused).toEqual([]);
  expect(Object.values(verdict.repeats).every((count) => count === 0)).toBe(true);
  // Two each at the start.
  expect(connections).toBeGreaterThan(4);
  expect(readFileSync(join(hub.home, 'hub.log'), 'utf8')).not.toMatch(/agent lost/);
  const completed = [...account.stored.electrons.values()].filter(({ status }) => status === 'completed').length;
  expect(account.executions).toHaveLength(completed);
});
