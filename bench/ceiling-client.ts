/** The bench's side of ceiling-process.ts: starts it and asks it for figures. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CeilingFigure } from './ceiling-process.ts';

export interface CeilingClient {
  measure(what: CeilingFigure): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/** Starts the ceiling on the bus at `url`, warm. Raises Error when its process ends early. */
export async function startCeiling(url: string, agents: number): Promise<CeilingClient> {
  // In a group of its own: a Ctrl-C leaves it alone until its parent ends it.
  const child = fork(fileURLToPath(new URL('./ceiling-process.ts', import.meta.url)), [url, String(agents)], {
    detached: true,
  });
  await nextMessage(child);
  return {
    async measure(what) {
      child.send({ what });
      const message = await nextMessage(child);
      const values =
        typeof message === 'object' && message !== null && 'values' in message ? message.values : undefined;
      if (!Array.isArray(values)) throw new Error('the ceiling sent no values');
      return values.filter((value): value is number => typeof value === 'number');
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      child.off('exit', onExit);
      resolve(message);
    };
    const onExit = (code: number | null): void => {
      child.off('message', onMessage);
      reject(new Error(`the ceiling's process ended with ${code ?? 'a signal'}`));
    };
    child.once('message', onMessage);
    child.once('exit', onExit);
  });
}
