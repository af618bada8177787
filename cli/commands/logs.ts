/** `polaron logs ID [ELECTRON]`: what electrons wrote; of one that runs, what it has written so far. */
import { streams } from '../../model/log-entry.ts';
import { withHub } from '../context.ts';
import type { Context } from '../context.ts';
import { electronArgument, electronsOf } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { followLogs } from '../follow-logs.ts';
import type { HubApi } from '../hub-api.ts';
import { LogWriter } from '../log-writer.ts';
import { namingNear } from '../unknown.ts';

export interface LogsArguments {
  readonly id: string;
  /** Name or node id; absent: all that have run. */
  readonly electron?: string;
  /** Its number; absent: the one at work, else the last that wrote something. */
  readonly attempt?: number;
  /** Until the electron, or the dispatch, has ended. */
  readonly follow: boolean;
}

/** 4 when it was interrupted while it followed. */
export async function logs(context: Context, asked: LogsArguments): Promise<ExitCode> {
  const write = asked.follow ? follow : writeLogs;
  return withHub(context, (hub) => namingNear(hub, asked, () => write(context, hub, asked)));
}

async function follow(context: Context, hub: HubApi, { id, electron }: LogsArguments): Promise<ExitCode> {
  const signal = context.interrupted();
  const writer = new LogWriter(context, electron === undefined);
  const node =
    electron === undefined ? undefined : (await hub.logs({ id, electron: electronArgument(electron) })).electron.id;
  try {
    await followLogs(hub, { id, ...(node === undefined ? {} : { node }) }, writer, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return exitCodes.notFinished;
  }
  return exitCodes.ok;
}

async function writeLogs(context: Context, hub: HubApi, { id, electron, attempt }: LogsArguments): Promise<ExitCode> {
  const which = attempt === undefined ? {} : { attempt };
  const writer = new LogWriter(context, electron === undefined);
  const write = async (wanted: number | string): Promise<void> => {
    const reply = await hub.logs({ id, electron: wanted, ...which });
    for (const stream of streams) writer.write(reply.electron, stream, reply[stream] ?? '');
  };
  if (electron !== undefined) await write(electronArgument(electron));
  else for await (const { id: node, attempts } of electronsOf(hub, { id })) if (attempts > 0) await write(node);
  return exitCodes.ok;
}
