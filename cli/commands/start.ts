/**
 * `polaron start`: runs a hub in this process until it is told to stop, or (`--detach`) in one of its own (start-detached.ts).
 * Not here: running it (run-hub.ts), what a hub is made of (host/hub.ts).
 */
import { ensureHome, homePaths } from '../../host/home.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';
import { runHub } from '../run-hub.ts';
import { resolveStart, type StartArguments } from '../start-options.ts';
import { startDetachedHub } from './start-detached.ts';

/** Resolves when the hub has stopped, or (detached) when it is ready. */
export async function start(context: Context, args: StartArguments): Promise<ExitCode> {
  const paths = homePaths(context.env);
  const options = resolveStart(args, paths, context.cwd);
  ensureHome(paths);
  return args.detach === true ? startDetachedHub(context, paths, options) : runHub(context, paths, options);
}
