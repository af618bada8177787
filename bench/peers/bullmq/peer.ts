/**
 * BullMQ on a redis-server that syncs its log before it answers. The rival that Polaron's goals name.
 * Its rewrites of the log are switched off: one in a run would be redis' housekeeping, not BullMQ's speed.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { peerOf } from '../driven-peer.ts';
import { isReady } from '../driver-protocol.ts';
import { folderOf, install, versionOf } from '../install.ts';
import { freePorts } from '../loopback.ts';
import { findProgram } from '../program.ts';

const folder = folderOf('bullmq');

export const bullmq = peerOf({
  name: 'BullMQ always',
  what: 'redis appendonly, appendfsync always: fdatasync before the answer; 2 workers of concurrency 100, one redis-server',
  forms: {
    W1: ['flow', 'client-driven'],
    W2: ['flow', 'addBulk'],
    W3: ['flow', 'addBulk'],
    W4: ['add'],
  },
  async prepare(processes, say) {
    const redis = findProgram('redis-server', { hint: 'Debian has it in redis-server' });
    await install(folder, processes, say);
    const server = /v=(\S+)/.exec(execFileSync(redis, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
    return {
      versions: { bullmq: versionOf(folder, 'bullmq'), redis: server },
      async start(group) {
        const [port] = await freePorts(1);
        const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', group.folder()];
        const log = ['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'];
        const rest = ['--save', '', '--maxmemory-policy', 'noeviction'];
        const started = group.start(redis, [...where, ...log, ...rest]);
        await started.line((line) => line.includes('Ready to accept connections') || undefined, 10_000);
        const node = (file: string) =>
          group.start(process.execPath, [join(folder, file), String(port)], { stopBy: 'stdin' });
        const workers = [node('worker.mjs'), node('worker.mjs')];
        await Promise.all(workers.map((worker) => worker.line(isReady, 10_000)));
        const driver = node('driver.mjs');
        await driver.line(isReady, 10_000);
        return driver;
      },
    };
  },
});
