/** `polaron graph ID`: the transport graph with its electrons' statuses, printed, or written to a file and opened. Drawing is the SDK's. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { electronsOf } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { GraphFormat } from '../hub-api.ts';
import { openFile } from '../opener.ts';
import { namingNear } from '../unknown.ts';

export interface GraphArguments {
  readonly id: string;
  /** Default: what the file's name says, else `svg` to open and `mermaid` to print. */
  readonly format?: GraphFormat;
  readonly output?: string;
  readonly open: boolean;
}

const endings: Readonly<Record<string, GraphFormat>> = {
  '.svg': 'svg',
  '.dot': 'dot',
  '.gv': 'dot',
  '.mmd': 'mermaid',
};
const endingOf: Readonly<Record<GraphFormat, string>> = { svg: '.svg', dot: '.dot', mermaid: '.mmd' };

/** Raises USAGE when the file can't be written. */
export async function graph(context: Context, asked: GraphArguments): Promise<ExitCode> {
  const { id, output, open } = asked;
  const format = asked.format ?? endings[extname(output ?? '').toLowerCase()] ?? (open ? 'svg' : 'mermaid');
  const { nodes, text } = await withHub(context, (hub) =>
    namingNear(hub, asked, async () => {
      const found = await hub.graph(id);
      return { nodes: found.nodes, text: await found.draw(format, electronsOf(hub, { id })) };
    }),
  );
  const picture = text.endsWith('\n') ? text : `${text}\n`;
  if (output === undefined && !open) {
    if (context.json) writeJson(context, { id, format, text, nodes });
    else context.terminal.raw(picture);
    return exitCodes.ok;
  }
  const file = output === undefined ? join(tmpdir(), `polaron-${id}${endingOf[format]}`) : resolve(context.cwd, output);
  write(file, picture);
  const opener = open ? await openFile(file, context.env) : undefined;
  if (context.json)
    writeJson(context, { id, format, text, nodes, file, ...(open && { opened: opener !== undefined }) });
  else {
    context.terminal.out(opener === undefined ? `wrote ${file}` : `wrote ${file}, and opened it with ${opener}`);
    if (open && opener === undefined)
      context.terminal.err('nothing to open it with: there is no screen, or no xdg-open');
  }
  return exitCodes.ok;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new PolaronError(
      'USAGE',
      `${file} can't be written: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
        help: 'Give --output a file in a folder that is there.',
      },
    );
  }
}
