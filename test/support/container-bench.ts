/** The executor `container` on a real engine, with electrons that look around in their container. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { ContainerExecutor } from '../../executors/container/container-executor.ts';
import { engineAddresses } from '../../executors/container/engine-address.ts';
import { Engine } from '../../executors/container/engine.ts';
import { fieldIn, listIn, readJson, textIn } from '../../executors/container/engine-json.ts';
import type { ExecutorCode } from '../../executors/executor.ts';
import type { Outcome } from '../../model/outcome.ts';
import { fixtureBundle } from './agent-harness.ts';
import { makeLogList, type LogList } from './log-list.ts';
import { openPoolBench, type Asked, type PoolBench, type Started } from './pool-bench.ts';
import { realClock } from './real-clock.ts';

const electrons = `${fixtureBundle}
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { connect } from 'node:net';
electron('where', () => [hostname(), process.pid]);
electron('reads', (file) => readFileSync(file, 'utf8'));
electron('writes', (file, text) => { writeFileSync(file, text); return readFileSync(file, 'utf8'); });
electron('user', () => [process.getuid(), process.getgid()]);
electron('node', () => [process.execPath, process.version]);
electron('status', () => readFileSync('/proc/self/status', 'utf8'));
electron('networks', () => Object.keys(networkInterfaces()));
electron('dials', (host, port) => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: 3000 });
  socket.on('connect', () => (socket.destroy(), resolve('connected')));
  socket.on('error', (error) => resolve(error.code));
  socket.on('timeout', () => (socket.destroy(), resolve('timeout')));
}));
electron('burns', (ms) => {
  const file = ['/sys/fs/cgroup/cpu.stat', '/sys/fs/cgroup/cpu/cpu.stat'].find((each) => existsSync(each));
  const before = process.cpuUsage();
  for (const end = performance.now() + ms; performance.now() < end; );
  const { user, system } = process.cpuUsage(before);
  return { share: (user + system) / 1000 / ms, throttled: Number(/^nr_throttled (\\d+)$/m.exec(readFileSync(file, 'utf8'))[1]) };
});
electron('lepton', (spec) => registry.agent.lepton({ name: 'l', ...spec }, []));
electron('isolated', () => { spawn('/bin/sh', ['-c', 'sleep 600'], { stdio: 'ignore', detached: true }).unref(); console.log('begun'); for (;;); });
`;

export interface ContainerBench {
  readonly bench: PoolBench;
  readonly executor: ContainerExecutor;
  readonly engine: Engine;
  readonly logs: LogList;
  start(electron: string, args: readonly unknown[], options: object, more?: Asked): Started;
  run(electron: string, args: readonly unknown[], options: object, more?: Asked): Promise<Outcome>;
  /** Those of this bench that the engine knows. */
  containers(): Promise<readonly string[]>;
  close(): Promise<void>;
}

let lives = 0;

/** An engine as the tests' environment names it. */
export function testEngine(): Engine {
  const [address] = engineAddresses(process.env['DOCKER_HOST'] ?? '', '');
  if (address === undefined) throw new Error('there is no engine');
  return new Engine(address);
}

export async function openContainerBench(
  env: Readonly<Record<string, string | undefined>> = process.env,
  owner = `bench-${process.pid}-${++lives}`,
  epoch = 1,
): Promise<ContainerBench> {
  const bench = openPoolBench();
  const logs = makeLogList();
  const { slots, graceMs, scratchDir, start } = bench.options;
  const executor = new ContainerExecutor(
    {
      site: 's1',
      agent: 'a1',
      life: { id: owner, epoch },
      slots,
      room: () => slots,
      graceMs,
      clock: realClock,
      log: logs.log,
      stateDir: bench.dir,
      scratchDir,
      jobsDir: bench.dir,
      start,
      spare: false,
    },
    env,
  );
  let usual: ExecutorCode | undefined;
  const engine = testEngine();
  const begin: ContainerBench['start'] = (electron, args, options, more = {}) =>
    bench.start(executor, electron, args, {
      code: (usual ??= bench.code('container', electrons)),
      ...more,
      electron: { executorOptions: { network: 'none', ...options }, ...more.electron },
    });
  const opened: ContainerBench = {
    bench,
    executor,
    engine,
    logs,
    start: begin,
    run: async (...asked) => (await begin(...asked).ended).outcome,
    containers: () => containersOf(engine, owner),
    close: async () => {
      await executor.stop();
      bench.close();
      expect(logs.entries.filter(({ message }) => message.includes("can't be removed"))).toEqual([]);
    },
  };
  try {
    await executor.setUp();
  } catch (error) {
    bench.close();
    throw error;
  }
  return opened;
}

/** Ids of the containers of an agent, whatever their state. */
export async function containersOf(engine: Engine, owner: string): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`polaron.owner=${owner}`] }));
  const { body } = await engine.ask('GET', `/containers/json?all=1&filters=${filters}`);
  return listIn(readJson(body)).flatMap((container) => textIn(container, 'Id') ?? []);
}

/** Names of its volumes. */
export async function volumesOf(engine: Engine, owner: string): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`polaron.owner=${owner}`] }));
  const { body } = await engine.ask('GET', `/volumes?filters=${filters}`);
  return listIn(fieldIn(readJson(body), 'Volumes')).flatMap((volume) => textIn(volume, 'Name') ?? []);
}

/** Pids of this machine's processes that have this text in their environment: what runs in a container is among them. */
export function processesWith(text: string): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const has = /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(text);
      return has ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
