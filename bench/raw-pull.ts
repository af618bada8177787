/**
 * The ceiling of W7: a raw pull in chunks between two bare processes on the same bus, with the best of some windows. What comes is neither kept nor
 * hashed, and touches no disk.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RawPull } from './chunk-puller.ts';

const windows = [4, 8, 16];
const chunk = 256 * 1024;

export interface RawPuller {
  /** MiB/s of `times` pulls of so many bytes, one after the other. */
  measure(bytes: number, times: number): Promise<{ readonly mibPerSecond: number; readonly window: number }>;
  stop(): Promise<void>;
}

/** Starts both processes on the bus at `url`, where anyone may publish and subscribe. */
export async function startRawPull(url: string): Promise<RawPuller> {
  const [server, puller] = await Promise.all([start('chunk-server', url), start('chunk-puller', url)]);
  const pull = async (what: RawPull): Promise<number> => {
    puller.send(what);
    const [answer]: unknown[] = await once(puller, 'message');
    const ms = typeof answer === 'object' && answer !== null && 'ms' in answer ? answer.ms : undefined;
    if (typeof ms !== 'number') throw new Error('the raw pull sent no figure');
    return (what.bytes * what.times) / 1024 ** 2 / (ms / 1_000);
  };
  await pull({ bytes: 100 * 1024 ** 2, chunk, window: 4, times: 2 }); // warm
  return {
    async measure(bytes, times) {
      let best = { mibPerSecond: 0, window: 0 };
      for (const window of windows) {
        const mibPerSecond = await pull({ bytes, chunk, window, times });
        if (mibPerSecond > best.mibPerSecond) best = { mibPerSecond, window };
      }
      return best;
    },
    async stop() {
      await Promise.all([server, puller].map(stop));
    },
  };
}

async function start(name: string, url: string): Promise<ChildProcess> {
  // In a group of its own: a Ctrl-C leaves it alone until its parent ends it.
  const child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), [url], { detached: true });
  await once(child, 'message');
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}
