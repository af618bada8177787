/**
 * The `polaron` command with a fake host: a hub that is a hub file and a local agent that is an idle process with a child.
 * FAKE_HUB: `ok` (default), `fails` (a defect), `dies` (a crash before ready), `aborts` (as LMDB does), `in-use`; of the agent: `refused`, `superseded`.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeHubFile, writeHubFile } from '../../../bus/hub-file.ts';
import type { HostPort, HubStartOptions, RunningHub } from '../../../cli/host-port.ts';
import { run } from '../../../cli/run.ts';
import { comparableOptions } from '../../../host/home.ts';
import { recordInstance } from '../../../host/instances.ts';
import { PolaronError } from '../../../model/errors.ts';
import { hubStatus } from './hub-data.ts';

const mode = process.env['FAKE_HUB'] ?? 'ok';
const idle = 'setInterval(() => undefined, 1000)';
const withChild = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(idle)}], { stdio: 'ignore', detached: true }); ${idle}`;

async function startHub(options: HubStartOptions): Promise<RunningHub> {
  options.log('info', 'the fake hub starts', { data: options.data });
  if (mode === 'dies') process.kill(process.pid, 'SIGKILL');
  if (mode === 'aborts') process.kill(process.pid, 'SIGABRT');
  if (mode === 'in-use') throw new PolaronError('DATA_IN_USE', `data folder ${options.data} is in use by pid 1`);
  if (mode === 'fails') throw new TypeError('no such thing');
  if (options.agent) {
    const agent = spawn(process.execPath, ['-e', withChild], { stdio: 'ignore', detached: true });
    agent.unref();
    if (agent.pid !== undefined) recordInstance(options.home, 'local-agent', agent.pid, process.pid);
  }
  await sleep(Number(process.env['FAKE_READY_MS'] ?? 50));
  const { pid } = process;
  writeHubFile(options.home, {
    version: '0.1.0',
    pid,
    node: 'n1',
    bus: 'nats://127.0.0.1:4222',
    userUrl: 'nats://u.u:secret@127.0.0.1:4222',
    user: 'u',
    data: options.data,
    startedAt: Date.now(),
    options: comparableOptions(options),
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
  });
  const keepAlive = setInterval(() => undefined, 1_000);
  return {
    url: 'nats://u.u:secret@127.0.0.1:4222',
    data: options.data,
    node: 'n1',
    ready: Promise.resolve(),
    failed: new Promise(() => undefined),
    // Leaves the local agent: `stop` has to find it.
    stop: async () => {
      clearInterval(keepAlive);
      removeHubFile(options.home, pid);
    },
  };
}

const host: HostPort = {
  prepareHub: () => undefined,
  startHub,
  prepareBackup: () => 'ticket',
  checkFolder: () => Promise.resolve({ problems: [] }),
  compactData: () => Promise.resolve({ values: 0, bytes: 0, before: 0, after: 0 }),
  examine: () => Promise.resolve({ findings: [], offers: [] }),
  runAgent: async (options) => {
    options.log('info', 'the fake agent starts');
    const keepAlive = setInterval(() => undefined, 1_000);
    const superseded = new PolaronError('SUPERSEDED', 'a newer agent of this name took over');
    return {
      joined: mode === 'refused' ? Promise.reject(new PolaronError('AGENT_NAME_TAKEN', 'taken')) : Promise.resolve(),
      ended: mode === 'superseded' ? sleep(100).then(() => superseded) : new Promise(() => undefined),
      stop: async () => {
        clearInterval(keepAlive);
        await sleep(0);
      },
    };
  },
};

const missing = (): never => {
  throw new Error('the fake has no such answer');
};

await run(process, {
  host: async () => host,
  connect: async () => ({
    status: async () => hubStatus,
    agents: missing,
    drain: missing,
    // Far more than a pipe holds.
    list: async () => ({
      dispatches: Array.from({ length: 20_000 }, (_, i) => ({
        id: `d${i}`,
        user: 'u',
        lattice: 'l',
        status: 'completed' as const,
        acceptedAt: i,
        counts: {},
        metadata: {},
        seq: 1,
      })),
      more: false,
    }),
    snapshot: missing,
    logs: missing,
    attempts: missing,
    why: missing,
    cancel: missing,
    redispatch: missing,
    purge: missing,
    backup: missing,
    result: missing,
    graph: missing,
    watch: missing,
    close: async () => undefined,
  }),
});
