/** A user's script over the real broker: it ends by itself within 200 ms of its last await, whatever it did. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBroker, type Broker } from '../../../bus/broker/broker.ts';
import { credentialsFor, makeAuthenticator } from '../../../bus/credentials.ts';
import { hubIdentity, userIdentity } from '../../../bus/identity.ts';
import { connectNats, type NatsBus } from '../../../bus/nats-bus.ts';
import { makeSubjects } from '../../../bus/subjects.ts';
import type { Clock } from '../../../model/clock.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import type { Dial } from '../../../sdk/client/connection.ts';
import { FakeHub } from './fake-hub.ts';
import { completeSum, sum, until, world } from './world.ts';

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
const secret = 'secret';
const log = (): void => undefined;
const script = fileURLToPath(new URL('idle-script.ts', import.meta.url));

let broker: Broker;
let bus: NatsBus;
let hub: FakeHub;
let url: string;

beforeAll(async () => {
  broker = await startBroker({ auth: makeAuthenticator(secret, makeSubjects()), log, clock });
  const { user, password } = credentialsFor(secret, hubIdentity('n'));
  bus = await connectNats({ servers: broker.url, user, password, identity: user, name: 'hub', log });
  hub = new FakeHub(bus);
  const ann = credentialsFor(secret, userIdentity('ann'));
  url = broker.url.replace('://', `://${ann.user}:${ann.password}@`);
});
afterAll(async () => {
  await bus.close();
  await broker.close();
});

/** Runs the script; how long after its last await it ended, and what it said. */
async function run(...args: readonly string[]): Promise<{ readonly answer: unknown; readonly lateMs: number }> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    env: { ...process.env, POLARON_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  const ended = Date.now();
  const said: unknown = out === '' ? undefined : JSON.parse(out);
  if (code !== 0 || typeof said !== 'object' || said === null || !('at' in said) || !('answer' in said)) {
    throw new Error(`exit ${code}: ${out}${err}`);
  }
  return { answer: said.answer, lateMs: ended - Number(said.at) };
}

// They measure time: on a busy machine a try may be late, but not each.
describe('a script over the real broker', { retry: 2 }, () => {
  it('works with the credentials of its user, in this process too', async () => {
    const sdk = world({ sources: { env: { POLARON_URL: url }, osUser: () => 'x' }, dial: dialReal }).sdk;
    const id = await sdk.dispatch(sum)(1, 2);
    const events: string[] = [];
    const watched = (async () => {
      for await (const event of sdk.watch(id, { from: 'start' })) events.push(event.type);
    })();
    completeSum(hub, id, 3);
    expect(await sdk.getValue(id)).toEqual({ total: 3, of: [1, 2] });
    await watched;
    expect(events).toEqual(['dispatch.accepted', 'dispatch.started', 'electron.completed', 'dispatch.completed']);
  });

  it.each([
    ['getResult', 'completed'],
    ['watch', 'dispatch.completed'],
    ['client', 'completed'],
  ])(
    'ends by itself after %s',
    async (what, answer) => {
      const sdk = world({ sources: { env: { POLARON_URL: url }, osUser: () => 'x' }, dial: dialReal }).sdk;
      const id = await sdk.dispatch(sum)(1, 2);
      completeSum(hub, id, 3);
      const ran = await run(what, id);
      expect(ran.answer).toBe(answer);
      expect(ran.lateMs).toBeLessThanOrEqual(200);
    },
    20_000,
  );

  it('lives on while it waits, over a lost connection', async () => {
    const sdk = world({ sources: { env: { POLARON_URL: url }, osUser: () => 'x' }, dial: dialReal }).sdk;
    const id = await sdk.dispatch(sum)(1, 2);
    const waits = hub.count('wait');
    const ran = run('getResult', id);
    await until(() => hub.count('wait') > waits, "the script's wait", 10_000);
    expect(broker.disconnect('u.ann')).toBeGreaterThan(0);
    await until(() => hub.count('wait') > waits + 1, 'the next wait', 10_000);
    completeSum(hub, id, 3);
    expect((await ran).answer).toBe('completed');
    expect((await ran).lateMs).toBeLessThanOrEqual(200);
  }, 20_000);

  it('ends by itself after dispatchSync, bundler and all', async () => {
    hub.onSubmit = (id) => {
      setTimeout(() => {
        hub.completeElectron(id, 0, 42);
        hub.end(id, 'completed', [encodeValue(42, 'x')]);
      }, 300);
    };
    const ran = await run('dispatchSync');
    hub.onSubmit = () => undefined;
    expect(ran.answer).toBe(42);
    expect(ran.lateMs).toBeLessThanOrEqual(200);
  }, 20_000);

  it('ends with one line when there is no hub', async () => {
    const nowhere = url.replace(/:\d+$/, ':1');
    const sdk = world({ sources: { env: { POLARON_URL: nowhere }, osUser: () => 'x' }, dial: dialReal }).sdk;
    const error: unknown = await sdk.connect().catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'NO_HUB' });
    expect(String(error)).toMatch(/no hub answers at nats:\/\/127\.0\.0\.1:1 \(POLARON_URL\).*polaron start/);
    expect(String(error)).not.toContain('\n');
  });

  it('tells wrong credentials', async () => {
    const wrong = broker.url.replace('://', '://u.ann:wrong@');
    const sdk = world({ sources: { env: { POLARON_URL: wrong }, osUser: () => 'x' }, dial: dialReal }).sdk;
    await expect(sdk.connect()).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  });
});

const dialReal: Dial = async (target) =>
  connectNats({
    servers: target.servers,
    identity: target.identity,
    name: 'test',
    log,
    waitOnFirstConnect: false,
    keepAlive: false,
    ...(target.login === undefined ? {} : target.login),
  });
