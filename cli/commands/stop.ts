/** `polaron stop`: ends the hub of this home and all that it, or an earlier killed one, started; returns when nothing of it runs. */
import { readHubFile, removeHubFile } from '../../host/home.ts';
import { endProcesses } from '../../host/end-processes.ts';
import type { Ended } from '../../host/end-processes.ts';
import { homePaths } from '../../host/home.ts';
import { isRunning, livingInstances, ofHub } from '../../host/instances.ts';
import type { Instance, InstanceKind } from '../../host/instances.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';

/** A hub drains its agent and flushes; what is left after it has nobody to report to. */
const HUB_GRACE_MS = 15_000;
const REST_GRACE_MS = 5_000;

interface Stopped extends Ended {
  readonly kind: InstanceKind;
}

/** Nothing running is fine: that is what was asked for. Raises NOT_ALLOWED. */
export async function stop(context: Context): Promise<ExitCode> {
  const { home } = homePaths(context.env);
  const mine = (): readonly Instance[] => ofHub(livingInstances(home));
  const stopped = [
    ...(await end(
      mine().filter(({ kind }) => kind === 'hub'),
      HUB_GRACE_MS,
    )),
    ...(await end(mine(), REST_GRACE_MS)),
  ];
  livingInstances(home); // removes the records of what has just ended
  const file = readHubFile(home);
  if (file !== undefined && !isRunning(file.pid)) removeHubFile(home, file.pid);
  if (context.json) writeJson(context, { stopped: stopped.map(({ kind, pid, how }) => ({ kind, pid, how })) });
  else for (const line of linesOf(stopped)) context.terminal.out(line);
  return exitCodes.ok;
}

async function end(instances: readonly Instance[], graceMs: number): Promise<readonly Stopped[]> {
  if (instances.length === 0) return [];
  const ended = await endProcesses(instances, { graceMs });
  const kinds = new Map(instances.map(({ pid, kind }) => [pid, kind]));
  return ended.map((one) => ({ ...one, kind: kinds.get(one.pid) ?? 'hub' }));
}

function linesOf(stopped: readonly Stopped[]): readonly string[] {
  if (stopped.length === 0) return ['nothing was running'];
  return stopped.map(({ kind, pid, how }) => {
    const forced = how === 'killed' ? ' (killed: it did not end by itself)' : '';
    return `stopped ${kind} (pid ${pid})${forced}`;
  });
}
