/**
 * Real nats-servers for tests: found, started on a free port, ended by process id.
 * Not here: containers (nats-container.ts).
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BusServer } from './bus-server.ts';
import { serverConfig } from './bus-server.ts';

/** In CI a missing real part is a failure, elsewhere a visible skip. */
export const realPartsRequired = process.env['POLARON_REQUIRE_REAL'] === '1';

const searchPath = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'nats-server'));

/** Debian's own nats-server. */
export const debianServer = ['/usr/sbin/nats-server', ...searchPath].find((path) => existsSync(path));

/** The current one, built from the Go module proxy (.ci/go-tools.sh). */
export const currentServer = [process.env['POLARON_NATS_SERVER_CURRENT'], '/tmp/gobin/nats-server'].find(
  (path): path is string => path !== undefined && path !== '' && existsSync(path),
);

/** Any real one. */
export const anyServer = currentServer ?? debianServer;

/** Below the ports that outgoing connections get: a client that dials a server which is down could be given the very port, and keep it. */
const PORTS = { from: 20_000, count: 12_000 };

/** A port that nobody used a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Starts `binary` with a configuration made for its address (default: the tests' users). */
export async function startNatsServer(
  binary: string,
  config: (listen: string) => string = serverConfig,
): Promise<BusServer & { readonly pid: () => number }> {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-nats-'));
  const file = join(folder, 'nats.conf');
  // Between finding a free port and listening there another process may take it: then try again.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    writeFileSync(file, config(`127.0.0.1:${port}`), { mode: 0o600 });
    try {
      let child = await launch(binary, file);
      return {
        url: `nats://127.0.0.1:${port}`,
        pid: () => child.pid ?? 0,
        restart: async (down) => {
          await end(child);
          await down();
          child = await launch(binary, file);
        },
        stop: async () => {
          await end(child);
          rmSync(folder, { recursive: true, force: true });
        },
      };
    } catch (error) {
      if (attempt < 3 && String(error).includes('address already in use')) continue;
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

/** One with that configuration file, wherever `within` puts it (namespaces.ts). `stop` resolves when it is gone. */
export async function runNatsServer(
  binary: string,
  config: string,
  within: readonly string[],
): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const child = await launch(binary, config, within);
  return { pid: child.pid ?? 0, stop: () => end(child) };
}

/** Resolves when the server says that it is ready. */
function launch(binary: string, config: string, within: readonly string[] = []): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const [command, ...args] = [...within, binary, '-c', config];
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const early = (code: number | null): void =>
      reject(new Error(`${binary} ended with ${code}: ${said.slice(-2_000)}`));
    child.once('error', reject);
    child.once('exit', early);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (said.includes('Server is ready')) return;
      said += text;
      if (!said.includes('Server is ready')) return;
      child.off('exit', early);
      resolve(child);
    });
  });
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
