/**
 * What `ssh` runs on the host: finds the daemon of this life of the agent, or starts it, and passes bytes between it and standard input and output. Before that it ends what earlier lives of
 * the same agent have left here (A5): their daemons, and the process groups that they had started. It keeps nothing itself.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { killLeftRunners } from '../process/runner-roster.ts';
import { startTimeOf } from '../process/process-table.ts';
import { say } from './marker.ts';

const START_MS = 15_000;

export interface RelayOptions {
  /** Of this connection: in what is said before the daemon's words. */
  readonly nonce: string;
  /** Of all Polaron's things on this host. */
  readonly base: string;
  /** Names the agent by what no other has. */
  readonly agent: string;
  /** Number of the agent's life. */
  readonly boot: number;
  /** Names how the agent gets here: each way has a daemon. */
  readonly way: string;
  readonly leaseMs: number;
  readonly version: string;
  /** The carried program. */
  readonly script: string;
}

/** Ends with the connection. Raises the system's error. */
export async function relay(options: RelayOptions): Promise<void> {
  const { base, agent, boot, way, nonce } = options;
  const lives = join(base, 'run', agent);
  mkdirSync(lives, { recursive: true, mode: 0o700 });
  endEarlierLives(lives, boot);
  const folder = join(lives, `${boot}-${way}`);
  const socket = (await connected(folder)) ?? (await started(options, folder));
  say(nonce, 'ready', { version: options.version });
  // the program may have come through standard input; the output gets a socket of its own, since process.stdout would block on a full pipe
  const input = process.stdin;
  const output = new Socket({ fd: 1, readable: false, writable: true });
  for (const each of [input, output, socket]) {
    each.on('error', () => process.exit(0));
    each.on('close', () => process.exit(0));
  }
  input.pipe(socket);
  socket.pipe(output);
}

function endEarlierLives(lives: string, boot: number): void {
  for (const name of readdirSync(lives)) {
    const life = Number.parseInt(name, 10);
    if (!Number.isSafeInteger(life) || life === boot) continue;
    if (life > boot) throw new Error(`life ${life} of this agent works here by now; this is life ${boot}`);
    const folder = join(lives, name);
    for (let more = MOST_TRIES; more > 0; more--)
      try {
        endLife(folder);
        break;
      } catch (error) {
        // another way to this host ends it as well, and was quicker
        if (more === 1 || !(error instanceof Error && 'code' in error && QUICKER.has(error.code))) throw error;
      }
  }
}

const MOST_TRIES = 100;
const QUICKER: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTEMPTY', 'ESRCH']);

/** Whatever of it is left. Raises the system's error. */
function endLife(folder: string): void {
  const [pid, start] = textOf(join(folder, 'daemon')).split(' ');
  if (Number(pid) > 1 && start !== undefined && startTimeOf(Number(pid)) === start)
    process.kill(Number(pid), 'SIGKILL');
  for (const session of existsSync(folder) ? readdirSync(folder) : []) {
    const groups = join(folder, session, 'groups');
    if (existsSync(groups)) killLeftRunners(groups, () => undefined);
  }
  rmSync(folder, { recursive: true, force: true });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** To the daemon's socket; undefined when nobody listens there. */
function connected(folder: string): Promise<Socket | undefined> {
  const path = textOf(join(folder, 'socket'));
  if (path === '') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

async function started({ script, leaseMs, version }: RelayOptions, folder: string): Promise<Socket> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = openSync(join(folder, 'log'), 'a', 0o600);
  // nothing of this connection's: sshd would wait for whoever holds it
  const child = spawn(process.execPath, [script, 'daemon', folder, String(leaseMs), version], {
    detached: true,
    stdio: ['ignore', 'pipe', log],
  });
  closeSync(log);
  const said = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the daemon said nothing within ${START_MS} ms`)), START_MS);
    child.once('error', reject);
    child.stdout?.once('data', (chunk: Buffer) => {
      clearTimeout(late);
      resolve(chunk.toString('utf8'));
    });
    child.stdout?.once('end', () => resolve(''));
  });
  child.stdout?.destroy();
  child.unref();
  if (!said.startsWith('ready')) throw new Error(said.trim() === '' ? textOf(join(folder, 'log')).trim() : said.trim());
  const socket = await connected(folder);
  if (socket === undefined) throw new Error(`the daemon's socket in ${folder} can't be reached`);
  return socket;
}
