/**
 * Puts a hub together inside a test: its real actors on a store in memory, the embedded broker without its socket, real agents whose electrons are functions of this
 * process, the SDK, and one clock for all of them. Not here: moving that (timeline.ts), what a user may ask of it (in-process-hub.ts).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerCore } from '../bus/broker/core.ts';
import { DEFAULT_LIMITS } from '../bus/broker/limits.ts';
import { hubIdentity } from '../bus/identity.ts';
import { makeSubjects } from '../bus/subjects.ts';
import { startHubCore } from '../host/hub-core.ts';
import { systemClock } from '../host/system-clock.ts';
import { packageVersion } from '../host/version.ts';
import { defaults } from '../model/defaults.ts';
import { toToken } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { makeSdk } from '../sdk/client/client.ts';
import { milliseconds } from '../sdk/durations.ts';
import { openMemoryStore } from '../store/memory-store.ts';
import { ManualClock } from './clock.ts';
import { LocalCode } from './code.ts';
import { InProcess } from './in-process-hub.ts';
import { LocalAgent } from './local-agent.ts';
import { connectLocal } from './local-bus.ts';
import { Mocks } from './mocks.ts';
import { seededRandom } from './seeded-random.ts';
import type { CreateTestHubOptions, InProcessHub, TestAgentOptions } from './test-hub.ts';
import { Timeline } from './timeline.ts';

const NODE = 'test';
const USER = 'test';
const STARTS_AT = Date.UTC(2026, 0, 1);
const silent: Log = () => undefined;

export async function createTestHub(o: CreateTestHubOptions = {}): Promise<InProcessHub> {
  const log = o.log ?? silent;
  const timeline = new Timeline(
    o.startsAt?.getTime() ?? STARTS_AT,
    milliseconds(o.patience ?? '1s', 'createTestHub(): patience'),
  );
  const random = seededRandom(o.seed ?? 1);
  const clock = new ManualClock(timeline);
  const [code, mocks, subjects] = [new LocalCode(), new Mocks(), makeSubjects()];
  // Its own looks are at sockets, of which there are none here.
  const core = new BrokerCore({ limits: DEFAULT_LIMITS, auth: 'none', log, clock: systemClock, faults: undefined });
  const store = openMemoryStore({ history: 'test', monotonic: () => timeline.monotonic() });
  const { bus } = await connectLocal(core, hubIdentity(NODE), log);
  const folder = await mkdtemp(join(tmpdir(), 'polaron-test-'));
  const hub = await startHubCore({
    bus,
    subjects,
    node: NODE,
    results: { store },
    clock: timeline,
    random,
    log,
    leases: { leaseMs: defaults.leaseMs, heartbeatMs: defaults.heartbeatMs },
    traceActors: false,
    about: { version: packageVersion(), bus: 'in-process', data: 'memory', startedAt: timeline.now() },
    onFatal: (error) => timeline.fail(error),
    onAgentReady: () => undefined,
    onResultsRestart: () => () => undefined,
  });
  const agentOf = ([name, play]: readonly [string, TestAgentOptions]): LocalAgent =>
    new LocalAgent({
      core,
      subjects,
      folder: join(folder, toToken(name)),
      random: random.fraction,
      log,
      fail: (error) => timeline.fail(error),
      name: play.executor ?? 'process',
      agent: toToken(name),
      slots: play.slots ?? 2,
      timeline,
      sleep: (ms) => clock.sleep(ms),
      code,
      mocks,
      play,
    });
  const agents = Object.entries(o.agents ?? { local: {} }).map(agentOf);
  const sdk = makeSdk({
    dial: async ({ identity }) => (await connectLocal(core, identity, log)).bus,
    shipping: code,
    argv: () => [],
    sources: { env: { POLARON_URL: `nats://${USER}@in-process` }, osUser: () => USER },
  });
  const made = new InProcess({
    timeline,
    clock,
    agents,
    mocks,
    store,
    sdk,
    end: async () => {
      hub.stop();
      await store.close();
      core.close();
      await rm(folder, { recursive: true, force: true });
    },
  });
  await made.start();
  return made;
}
