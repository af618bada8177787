/** A real nats-server for the bench, when the machine has one: on loopback, on a free port, without credentials. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface NatsServer {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** Path of a nats-server: POLARON_NATS_SERVER_CURRENT, else on the PATH, else where Debian puts it. */
export function findNatsServer(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const candidates = [
    process.env['POLARON_NATS_SERVER_CURRENT'],
    ...folders.map((folder) => join(folder, 'nats-server')),
  ];
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path));
}

/** Raises Error when it isn't ready within 10 s. */
export async function startNatsServer(path: string): Promise<NatsServer> {
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
  const folder = await mkdtemp(join(tmpdir(), 'polaron-nats-'));
  const child = spawn(path, ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder], {
    stdio: 'ignore',
    // Not in the terminal's group: it has to outlive a Ctrl-C until what uses it has stopped.
    detached: true,
  });
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const url = portsFile(folder);
    if (url !== undefined) return { url, version, stop };
    await sleep(20);
  }
  await stop();
  throw new Error(`${path} wasn't ready within 10 s`);
}

function portsFile(folder: string): string | undefined {
  const name = readdirSync(folder).find((file) => file.endsWith('.ports'));
  const text = name === undefined ? '' : readFileSync(join(folder, name), 'utf8');
  return /nats:\/\/[\d.]+:\d+/.exec(text)?.[0];
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
