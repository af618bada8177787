/** Restate: its server from its npm package, one process of workflows and two of services. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { peerOf } from '../driven-peer.ts';
import { isReady } from '../driver-protocol.ts';
import { folderOf, install, versionOf } from '../install.ts';
import { freePorts } from '../loopback.ts';
import type { PeerProcesses } from '../peer-processes.ts';

const folder = folderOf('restate');
const START_MS = 60_000;

export const restate = peerOf({
  name: 'Restate',
  what: 'durable by its default, RocksDB log synced before the answer, replicated loglet on one node, 24 partitions; 2 service processes and one of workflows, one restate-server; ctx.run steps run in the workflow’s',
  forms: {
    W1: ['ctx.run', 'service calls'],
    W2: ['ctx.run', 'service calls'],
    W3: ['ctx.run, 50 in flight', 'ctx.run, 200 in flight', 'service calls, 200 in flight'],
    W4: ['ctx.run', 'service calls'],
  },
  async prepare(processes, say) {
    await install(folder, processes, say);
    const platform = `@restatedev/restate-server-${process.platform}-${process.arch}`;
    const server = join(folder, 'node_modules', platform, 'bin', 'restate-server');
    if (!existsSync(server))
      throw new Error(`npm installed no ${platform}; restate-server has no package for this one`);
    return {
      versions: {
        'restate-server': versionOf(folder, '@restatedev/restate-server'),
        'restate-sdk': versionOf(folder, '@restatedev/restate-sdk'),
      },
      async start(group) {
        const { ingress, admin } = await startServer(server, group);
        for (const role of ['NoopA', 'NoopB', 'Workflows']) await register(admin, await startService(role, group));
        const driver = group.start(process.execPath, [join(folder, 'driver.mjs'), ingress], { stopBy: 'stdin' });
        await driver.line(isReady, 10_000);
        return driver;
      },
    };
  },
});

async function startServer(path: string, group: PeerProcesses): Promise<{ ingress: string; admin: string }> {
  const [ingress, admin, node] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
  const env = {
    RESTATE_BASE_DIR: group.folder(),
    RESTATE_LISTEN_MODE: 'tcp',
    RESTATE_INGRESS__BIND_ADDRESS: ingress ?? '',
    RESTATE_ADMIN__BIND_ADDRESS: admin ?? '',
    RESTATE_BIND_ADDRESS: node ?? '',
    RESTATE_DISABLE_TELEMETRY: 'true',
    DO_NOT_TRACK: '1',
    RUST_LOG: 'warn',
  };
  const args = ['--node-name', 'bench', '--cluster-name', 'bench'];
  // Its farewell takes ten seconds, for data that go with it.
  const server = group.start(path, args, { env, stopBy: 'SIGKILL' });
  await server.answers(`http://${admin}/health`, START_MS);
  return { ingress: `http://${ingress}`, admin: `http://${admin}` };
}

/** Its address. */
async function startService(role: string, group: PeerProcesses): Promise<string> {
  const env = { NODE_ENV: 'production' };
  const service = group.start(process.execPath, [join(folder, 'service.mjs'), role], { stopBy: 'stdin', env });
  return service.line((line) => /^serving at (\S+)$/.exec(line)?.[1], 10_000);
}

async function register(admin: string, uri: string): Promise<void> {
  const answer = await fetch(`${admin}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri }),
    signal: AbortSignal.timeout(START_MS),
  });
  if (!answer.ok) throw new Error(`restate took no deployment at ${uri}: ${answer.status} ${await answer.text()}`);
}
