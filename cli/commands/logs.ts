/** `polaron logs ID [ELECTRON]`: what electrons wrote. */
import type { LogsReply } from '../../bus/protocol/api.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { electronArgument, electronsOf } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { HubApi } from '../hub-api.ts';
import { paint, plain } from '../style.ts';
import { namingNear } from '../unknown.ts';

export interface LogsArguments {
  readonly id: string;
  /** Name or node id; absent: all that have run. */
  readonly electron?: string;
  /** Its number; absent: the last that wrote something. */
  readonly attempt?: number;
}

type Stream = 'stdout' | 'stderr';

export async function logs(context: Context, asked: LogsArguments): Promise<ExitCode> {
  await withHub(context, (hub) => namingNear(hub, asked, () => writeLogs(context, hub, asked)));
  return exitCodes.ok;
}

async function writeLogs(context: Context, hub: HubApi, { id, electron, attempt }: LogsArguments): Promise<void> {
  const which = attempt === undefined ? {} : { attempt };
  if (electron !== undefined) {
    const reply = await hub.logs({ id, electron: electronArgument(electron), ...which });
    if (context.json) writeLines(context, reply);
    else for (const text of [reply.stdout, reply.stderr]) context.terminal.raw(endLine(text));
    return;
  }
  for await (const { id: node, attempts } of electronsOf(hub, { id })) {
    if (attempts > 0) writeLines(context, await hub.logs({ id, electron: node, ...which }));
  }
}

const endLine = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

const linesOf = (text: string): readonly string[] => (text === '' ? [] : endLine(text).slice(0, -1).split('\n'));

/** `name | line`, with `!` for stderr; or a JSON document per line. */
function writeLines(context: Context, reply: LogsReply): void {
  const { electron } = reply;
  const streams: readonly (readonly [Stream, string])[] = [
    ['stdout', reply.stdout],
    ['stderr', reply.stderr],
  ];
  for (const [stream, all] of streams) {
    for (const text of linesOf(all)) {
      if (context.json) writeJson(context, { node: electron.id, electron: electron.name, stream, text });
      else {
        const mark = stream === 'stdout' ? '|' : paint('!', 'yellow', context.terminal.colour);
        context.terminal.out(`${plain(electron.name)} ${mark} ${text}`);
      }
    }
  }
}
