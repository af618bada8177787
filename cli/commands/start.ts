/**
 * `polaron start`: runs a hub in this process until it is told to stop, or (`--detach`) in one of its own (start-detached.ts).
 * Not here: what a hub is made of (host/hub.ts).
 */
import { takeReadyChannel } from '../../host/detach.ts';
import { ensureHome, homePaths } from '../../host/home.ts';
import type { HomePaths } from '../../host/home.ts';
import { forgetInstance, recordInstance } from '../../host/instances.ts';
import { takeStartLock } from '../../host/start-lock.ts';
import { stderrLog } from '../../host/stderr-log.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { RunningHub } from '../host-port.ts';
import { readyOf, sayReady } from '../ready-hub.ts';
import { checkSameHub, settledHub } from '../running-hub.ts';
import { resolveStart, withoutPassword } from '../start-options.ts';
import type { ResolvedStart, StartArguments } from '../start-options.ts';
import { startDetachedHub } from './start-detached.ts';

/** How long another start may hold the lock, ms. */
const LOCK_WAIT_MS = 60_000;

/** Resolves when the hub has stopped, or (detached) when it is ready. */
export async function start(context: Context, args: StartArguments): Promise<ExitCode> {
  const paths = homePaths(context.env);
  const options = resolveStart(args, paths, context.cwd);
  ensureHome(paths);
  if (args.detach === true) return startDetachedHub(context, paths, options);
  const tell = takeReadyChannel(context.env);
  // A detached hub must not depend on the folder that it happened to be started in.
  if (tell !== undefined) process.chdir(paths.home);
  try {
    return await runHub(context, paths, options, tell);
  } catch (error) {
    const { code, message, help } = asPolaronError(error, 'START_FAILED');
    tell?.({ error: { code, message, help } });
    throw error;
  }
}

async function runHub(
  context: Context,
  paths: HomePaths,
  options: ResolvedStart,
  tell: ((word: unknown) => void) | undefined,
): Promise<ExitCode> {
  const interrupted = whenAborted(context.interrupted());
  const release = await takeStartLock(paths.startLock, LOCK_WAIT_MS);
  let hub: RunningHub | undefined;
  try {
    const running = await settledHub(paths.home);
    if (running !== undefined) {
      checkSameHub(running, options);
      const ready = readyOf(running);
      tell?.({ ready });
      sayReady(context, ready);
      return exitCodes.ok;
    }
    recordInstance(paths.home, 'hub', process.pid);
    const logFile = tell === undefined ? undefined : paths.logFile;
    const log = stderrLog('hub', context.env);
    const host = await context.host();
    hub = await host.startHub({ ...options, log, ...(logFile === undefined ? {} : { logFile }) });
    const first = await Promise.race([hub.ready.then(() => 'ready' as const), interrupted, hub.failed]);
    if (first instanceof Error) throw first;
    if (first === 'ready') {
      const { url, data, node } = hub;
      const found = { url: withoutPassword(url), data, node, pid: process.pid, existing: false };
      const ready = logFile === undefined ? found : { ...found, log: logFile };
      release();
      tell?.({ ready });
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
