/** An agent beside the hub's own, joined by `polaron agent` as a user on another machine would: with a home of its own. Not responsible for the hub. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { field } from './field.ts';
import { command, environmentOf } from './polaron.ts';

export interface BenchAgent {
  stop(): Promise<void>;
}

export interface JoinedHub {
  readonly home: string;
  /** A server that asks for no credentials; undefined: the hub's embedded broker, which does. */
  readonly bus: string | undefined;
  run(args: readonly string[]): Promise<string>;
}

/** Longer than an agent takes to drain. */
const STOP_MS = 20_000;

/** Resolves when it has joined. Raises Error with what it said when it ends before. */
export async function joinAgent(
  hub: JoinedHub,
  name: string,
  slots: number,
  capabilities: readonly string[] = [],
): Promise<BenchAgent> {
  const home = join(hub.home, 'agents', name);
  mkdirSync(home, { recursive: true });
  const bus = hub.bus ?? (await invitation(hub, name));
  const offers = capabilities.map((capability) => `--capability=${capability}`);
  const args = [command, 'agent', `--bus=${bus}`, `--name=${name}`, `--slots=${slots}`, ...offers];
  const child = spawn(process.execPath, args, {
    env: environmentOf(home),
    // In a group of its own: a Ctrl-C leaves it alone until the bench ends it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const first = await Promise.race([once(child.stdout, 'data'), ended(child)]);
  if (first === undefined)
    throw new Error(`agent ${name} ended with ${child.exitCode ?? child.signalCode}: ${said.join('')}`);
  // What it says from now on is nobody's.
  child.stderr.removeAllListeners('data').resume();
  return { stop: () => stop(child) };
}

async function invitation(hub: JoinedHub, name: string): Promise<string> {
  const bus = field(JSON.parse(await hub.run(['invite', name, '--json'])), 'bus');
  if (typeof bus !== 'string') throw new Error('polaron invite --json has no bus');
  return bus;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended(child);
  clearTimeout(timer);
}

async function ended(child: ChildProcess): Promise<undefined> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
