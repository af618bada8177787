/**
 * Begins the process of a detached hub before this one has loaded its command and read its options: that process takes longer to load than that.
 * It waits to be told what to be, and ends with us when it isn't: wrong options, help. Imports little: nothing has been begun until it is loaded.
 * Not here: what it is told (commands/start-detached.ts), its side (detached-hub.ts).
 */
import { existsSync } from 'node:fs';
import { beginDetached, type DetachedProcess } from '../host/detach.ts';
import { heapArgs } from '../host/heap-growth.ts';
import { homePaths, hubFilePath, type HomePaths } from '../host/home.ts';

/** How this program is run, to run it again: command and its arguments before the subcommand. */
export interface Self {
  readonly command: string;
  readonly args: readonly string[];
}

export function selfOf(process: NodeJS.Process): Self {
  const [script] = process.argv.slice(1);
  return {
    command: process.execPath,
    // A second process can't listen on the inspector's port.
    args: [
      ...process.execArgv.filter((arg) => !arg.startsWith('--inspect')),
      ...(script === undefined ? [] : [script]),
    ],
  };
}

/** Raises what the file system says of the log. */
export const beginHub = ({ command, args }: Self, env: NodeJS.ProcessEnv, paths: HomePaths): DetachedProcess =>
  beginDetached({
    command,
    args: [...heapArgs, ...args, 'start'],
    env: { ...env, POLARON_HOME: paths.home },
    logFile: paths.logFile,
  });

/** Undefined when a hub may run already, and where there is no home folder yet: wrong options must not make one. */
export function beginHubEarly(self: Self, env: NodeJS.ProcessEnv): DetachedProcess | undefined {
  const paths = homePaths(env);
  if (!existsSync(paths.home) || existsSync(hubFilePath(paths.home))) return undefined;
  try {
    return beginHub(self, env, paths);
  } catch {
    return undefined; // what is wrong with the folder is told later
  }
}
