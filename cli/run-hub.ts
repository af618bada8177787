/** Runs a hub in this process until it is told to stop. One of a home at a time: a second start finds the first. Not here: what a hub is made of (host/hub.ts). */
import type { DetachedChannel } from '../host/detached.ts';
import type { HomePaths } from '../host/home.ts';
import { forgetInstance, recordInstance } from '../host/instances.ts';
import { takeStartLock } from '../host/start-lock.ts';
import { stderrLog } from '../host/stderr-log.ts';
import type { Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { RunningHub } from './host-port.ts';
import { readyOf, sayReady } from './ready-hub.ts';
import { checkSameHub, runningHub, settledHub } from './running-hub.ts';
import { withoutPassword } from './start-options.ts';
import type { ResolvedStart } from './start-options.ts';

/** How long another start may hold the lock, ms. */
const LOCK_WAIT_MS = 60_000;

/** `channel`: of a detached one, to say that it is ready. */
export async function runHub(
  context: Context,
  paths: HomePaths,
  options: ResolvedStart,
  channel?: DetachedChannel,
): Promise<ExitCode> {
  const interrupted = whenAborted(context.interrupted());
  const host = await context.host();
  if (runningHub(paths.home) === undefined) host.prepareHub(options);
  const release = await takeStartLock(paths.startLock, LOCK_WAIT_MS);
  let hub: RunningHub | undefined;
  try {
    const running = await settledHub(paths.home);
    if (running !== undefined) {
      checkSameHub(running, options);
      const ready = readyOf(running);
      channel?.tell({ ready });
      sayReady(context, ready);
      return exitCodes.ok;
    }
    recordInstance(paths.home, 'hub', process.pid);
    const logFile = channel === undefined ? undefined : paths.logFile;
    const log = stderrLog('hub', context.env);
    hub = await host.startHub({ ...options, log, ...(logFile === undefined ? {} : { logFile }) });
    const first = await Promise.race([hub.ready.then(() => 'ready' as const), interrupted, hub.failed]);
    if (first instanceof Error) throw first;
    if (first === 'ready') {
      const { url, data, node } = hub;
      const found = { url: withoutPassword(url), data, node, pid: process.pid, existing: false };
      const ready = logFile === undefined ? found : { ...found, log: logFile };
      release();
      channel?.tell({ ready });
      sayReady(context, ready);
    }
    const reason = await Promise.race([interrupted, hub.failed]);
    if (reason instanceof Error) throw reason;
    return exitCodes.ok;
  } finally {
    await hub?.stop();
    forgetInstance(paths.home, 'hub', process.pid);
    release();
  }
}

function whenAborted(signal: AbortSignal): Promise<'interrupted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('interrupted');
    else signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
}
