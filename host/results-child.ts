/** Keeps the result manager's own process alive: starts it, and starts it again when it dies. The hub sends again what it had not answered. */
import { spawn, type ChildProcess } from 'node:child_process';
import { isErrorCode } from '../model/error-table.ts';
import { PolaronError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';
import { programArgs } from '../executors/program.ts';
import { heapArgs } from './heap-growth.ts';
import type { ResultsProcessSettings } from './results-process.ts';
import { isOutOfRoom } from './spare-room.ts';

export interface ResultsChild {
  readonly pid: () => number | undefined;
  stop(): Promise<void>;
}

const RESTART_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;
const MOST_QUICK_DEATHS = 5;

/** Resolves when it is ready. Rejects with its error when the first start fails; later ones that keep failing go to `onFatal`. */
export async function keepResultsProcess(
  settings: ResultsProcessSettings,
  log: Log,
  onFatal: (error: Error) => void,
  onRestart: () => void,
): Promise<ResultsChild> {
  let child: ChildProcess;
  let stopping = false;
  let everReady = false;
  let deaths = 0;

  const launch = (): Promise<void> =>
    new Promise((resolve, reject) => {
      child = spawn(process.execPath, [...heapArgs, ...programArgs('host/results-process')], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      let failure: PolaronError | undefined;
      child.on('message', (message: unknown) => {
        if (typeof message !== 'object' || message === null || !('type' in message)) return;
        if (message.type === 'ready') {
          deaths = 0;
          everReady = true;
          resolve();
        } else if ('message' in message && 'code' in message) {
          failure = new PolaronError(
            isErrorCode(message.code) ? message.code : 'START_FAILED',
            String(message.message),
          );
        }
      });
      child.on('exit', (code, signal) => {
        const why =
          failure ?? new PolaronError('START_FAILED', `the result manager's process ended (${signal ?? code})`);
        reject(why);
        if (everReady && !stopping) again(why);
      });
      child.send(settings);
    });

  const again = (why: PolaronError): void => {
    log('error', "the result manager's process died; starting it again", { deaths: ++deaths, why: why.message });
    // A disk without room is waited for, however long.
    if (deaths > MOST_QUICK_DEATHS && !isOutOfRoom(settings.data)) {
      const text = `the result manager's process died ${deaths} times in a row: ${why.message}`;
      onFatal(new PolaronError(why.code === 'START_FAILED' ? 'STORE_FAILED' : why.code, text, { cause: why }));
      return;
    }
    setTimeout(
      () => {
        if (!stopping) launch().then(onRestart, () => undefined); // its exit handler tries again, or gives up
      },
      Math.min(LONGEST_DELAY_MS, RESTART_DELAY_MS * deaths),
    );
  };

  await launch();
  return {
    pid: () => child.pid,
    stop: () =>
      new Promise((resolve) => {
        stopping = true;
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', () => resolve());
        if (child.connected) child.disconnect();
      }),
  };
}
