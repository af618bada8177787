/** The hub's side of `polaron start --detach`: a process that is told on a pipe what hub to be. Not here: the side of the command (commands/start-detached.ts). */
import type { DetachedChannel } from '../host/detached.ts';
import { homePaths } from '../host/home.ts';
import { asPolaronError, PolaronError } from '../model/errors.ts';
import type { Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { runHub } from './run-hub.ts';
import type { ResolvedStart } from './start-options.ts';

/** Resolves when the hub has stopped, or isn't needed. */
export async function detachedHub(context: Context, channel: DetachedChannel): Promise<ExitCode> {
  const told = channel.told();
  if (told === undefined) return exitCodes.ok;
  const paths = homePaths(context.env);
  try {
    if (!isStart(told)) throw new PolaronError('USAGE', 'a detached hub was told something that is no hub');
    // It must not depend on the folder that it happened to be started in.
    process.chdir(paths.home);
    return await runHub(context, paths, told, channel);
  } catch (error) {
    const { code, message, help } = asPolaronError(error, 'START_FAILED');
    channel.tell({ error: { code, message, help } });
    throw error;
  }
}

const isStart = (x: unknown): x is ResolvedStart =>
  typeof x === 'object' && x !== null && 'home' in x && 'data' in x && 'slots' in x && 'agent' in x && 'insecure' in x;
