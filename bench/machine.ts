/** What the figures were measured on: machine, versions, and what a durable write costs the disk here. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { percentile, tidy } from './statistics.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export function describeMachine(): Record<string, string | number> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: tidy(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()} ${process.arch}`,
  };
}

export function describeVersions(natsServer: string | undefined): Record<string, string> {
  return {
    node: process.versions.node,
    polaron: versionOf('.'),
    commit: commit(),
    lmdb: versionOf('node_modules/lmdb'),
    natsClient: versionOf('node_modules/@nats-io/transport-node'),
    ...(natsServer === undefined ? {} : { natsServer }),
  };
}

/** µs of writing 200 B and fdatasync, p50 of 300, in the folder where the stores are. */
export async function measureFdatasync(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'polaron-disk-'));
  const file = await open(join(folder, 'probe'), 'w');
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const began = performance.now();
    await file.write(Buffer.alloc(200, i));
    await file.datasync();
    times.push((performance.now() - began) * 1_000);
  }
  await file.close();
  await rm(folder, { recursive: true, force: true });
  return tidy(percentile(times, 0.5));
}

function versionOf(folder: string): string {
  const text = readFileSync(join(root, folder, 'package.json'), 'utf8');
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+changes');
  } catch {
    return 'unknown';
  }
}
