/** A hub for the bench, started as a user starts one, in a home of its own. Not responsible for the bus that it may join. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

export interface BenchHub {
  readonly home: string;
  readonly pid: number;
  /** From the call of `polaron start` to its return: ready, its agent joined. */
  readonly startMs: number;
  /** Anonymous memory of the hub's process in MiB; undefined where /proc isn't. */
  rssAnonMiB(): number | undefined;
  /** Runs `polaron` with these arguments in its home; what it printed. Raises Error with what it said when it fails. */
  run(args: readonly string[]): Promise<string>;
  /** Stops it and starts it again on the same data. */
  restart(): Promise<BenchHub>;
  /** Starts it on the same data after it was killed. */
  startAgain(): Promise<BenchHub>;
  /** Stops it and removes its home. */
  stop(): Promise<void>;
}

/** Starts a hub with an embedded broker, or on the bus at `bus`; `more`: options of `polaron start`. Raises Error with what that said. */
export async function startHub(bus?: string, more: readonly string[] = []): Promise<BenchHub> {
  const options = bus === undefined ? more : ['--bus', bus, ...more];
  return startIn(await mkdtemp(join(tmpdir(), 'polaron-bench-')), options);
}

async function startIn(home: string, options: readonly string[]): Promise<BenchHub> {
  const began = performance.now();
  await polaron(home, ['start', '--detach', '--json', ...options]);
  const startMs = performance.now() - began;
  const pid = numberIn(JSON.parse(await polaron(home, ['status', '--json'])), 'pid');
  const run = (args: readonly string[]): Promise<string> => polaron(home, args);
  const halt = (): Promise<string> => run(['stop']);
  return {
    home,
    pid,
    startMs,
    run,
    rssAnonMiB: () => rssAnonMiB(pid),
    async restart() {
      await halt();
      return startIn(home, options);
    },
    startAgain: () => startIn(home, options),
    async stop() {
      await halt();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Its stdout. In a group of its own: a start that a Ctrl-C cut short would leave a hub that nobody knows of. */
async function polaron(home: string, args: readonly string[]): Promise<string> {
  const { POLARON_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...env, POLARON_HOME: home },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`polaron ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

function rssAnonMiB(pid: number): number | undefined {
  const file = `/proc/${pid}/status`;
  const kilobytes = existsSync(file) ? /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
}

function numberIn(document: unknown, key: string): number {
  const entry =
    typeof document === 'object' && document !== null ? Object.entries(document).find(([k]) => k === key) : undefined;
  const value: unknown = entry?.[1];
  if (typeof value !== 'number') throw new Error(`polaron status --json has no number "${key}"`);
  return value;
}
