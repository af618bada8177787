/**
 * How long from `cancel()` until 1,000 running electrons of one dispatch have stopped, on three agents of this machine? Each has a runner process of its
 * own, and listens to its signal. Stopped: it has answered, which waits for the agents' word on every electron and for the disk; none is unconfirmed.
 * Not measured: agents elsewhere, electrons that don't listen, which the grace time and SIGTERM end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancel, dispatch } from 'polaron';
import { command, startHub, type BenchHub } from './hub.ts';
import { sleepers } from './sleepers.ts';
import { tidy } from './statistics.ts';

const agents = 3;
/** The agents' grace time for what doesn't listen, and a second. */
const limitMs = 5_000 + 1_000;
/** What a runner takes for itself, with room. */
const runnerMiB = 20;
/** Left for everybody else. */
const spareMiB = 2_048;
/** No further electron has begun for so long: what runs by now is all that will. */
const stillMs = 30_000;

export interface CancelFigures {
  readonly wanted: number;
  /** Said so themselves; fewer than wanted when memory or processes ran out. */
  readonly running: number;
  /** From the first to the last of them. */
  readonly startedInMs: number;
  /** From the call of `cancel()` to its answer. */
  readonly stoppedMs: number;
  /** Electrons that the signal reached; the rest was ended by SIGTERM or SIGKILL. */
  readonly bySignal: number;
  readonly cancelled: number;
  /** Electrons whose agents had not confirmed then. */
  readonly unconfirmed: number;
  readonly freeMiBBefore: number;
  readonly freeMiBWhileRunning: number;
  readonly limitMs: number;
  readonly met: boolean;
}

export async function measureCancel(asked: number): Promise<CancelFigures> {
  const freeMiBBefore = freeMiB();
  const wanted = Math.min(asked, Math.max(1, Math.floor((freeMiBBefore - spareMiB) / runnerMiB)));
  const hub = await startHub(undefined, ['--no-agent']);
  const crew: ChildProcess[] = [];
  try {
    process.env['POLARON_HOME'] = hub.home;
    delete process.env['POLARON_URL'];
    const slots = Math.ceil(wanted / agents);
    for (let n = 1; n <= agents; n++) crew.push(await startAgent(hub, `a${n}`, slots));
    const folder = mkdtempSync(join(hub.home, 'sleepers-'));
    const [begun, signalled] = [join(folder, 'begun'), join(folder, 'signalled')];
    for (const file of [begun, signalled]) writeFileSync(file, '');
    const id = await dispatch(sleepers)(begun, signalled, wanted);
    const startedInMs = await grown(begun, wanted);
    const running = statSync(begun).size;
    const freeMiBWhileRunning = freeMiB();
    const began = performance.now();
    const reply: unknown = await cancel(id);
    const stoppedMs = performance.now() - began;
    const [cancelled, unconfirmed] = [count(reply, 'cancelled') + count(reply, 'more'), count(reply, 'unconfirmed')];
    return {
      wanted,
      running,
      startedInMs: tidy(startedInMs),
      stoppedMs: tidy(stoppedMs),
      bySignal: statSync(signalled).size,
      cancelled,
      unconfirmed,
      freeMiBBefore,
      freeMiBWhileRunning,
      limitMs,
      met: stoppedMs <= limitMs && unconfirmed === 0 && running === asked && cancelled === asked,
    };
  } finally {
    for (const agent of crew) agent.kill('SIGTERM');
    await Promise.all(crew.map(ended));
    await hub.stop();
  }
}

/** Joins as a user's would; resolves when it has. Raises Error when it ends before. */
async function startAgent(hub: BenchHub, name: string, slots: number): Promise<ChildProcess> {
  const invited: unknown = JSON.parse(await hub.run(['invite', name, '--json']));
  const bus = field(invited, 'bus');
  if (typeof bus !== 'string') throw new Error('polaron invite --json has no bus');
  const child = spawn(process.execPath, [command, 'agent', '--bus', bus, '--slots', String(slots)], {
    env: { ...process.env, POLARON_HOME: hub.home },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const first = await Promise.race([once(child.stdout, 'data'), ended(child)]);
  if (first === undefined) throw new Error(`agent ${name} ended with ${child.exitCode ?? child.signalCode}`);
  return child;
}

async function ended(child: ChildProcess): Promise<undefined> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Waits until all run, or no further one begins; ms from the first to the last. */
async function grown(file: string, wanted: number): Promise<number> {
  let [size, first, last] = [0, performance.now(), performance.now()];
  while (size < wanted && performance.now() - last < stillMs) {
    await sleep(20);
    const now = statSync(file).size;
    if (now === size) continue;
    last = performance.now();
    if (size === 0) first = last;
    size = now;
  }
  return last - first;
}

/** Linux says what programs could have; elsewhere what nobody uses. */
function freeMiB(): number {
  if (process.platform !== 'linux') return Math.round(freemem() / 1024 ** 2);
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Math.round(kilobytes === undefined ? freemem() / 1024 ** 2 : Number(kilobytes) / 1_024);
}

const field = (document: unknown, key: string): unknown =>
  typeof document === 'object' && document !== null ? Reflect.get(document, key) : undefined;
/** Of a number, or of a list's entries. */
function count(document: unknown, key: string): number {
  const value = field(document, key);
  return Array.isArray(value) ? value.length : typeof value === 'number' ? value : 0;
}
