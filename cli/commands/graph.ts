/** `polaron graph ID --format mermaid|dot`: the transport graph, coloured by status. Drawing is the SDK's. */
import type { ElectronStatus } from '../../model/lifecycle.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { electronsOf } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { GraphFormat } from '../hub-api.ts';
import { namingNear } from '../unknown.ts';

export interface GraphArguments {
  readonly id: string;
  readonly format: GraphFormat;
}

export async function graph(context: Context, asked: GraphArguments): Promise<ExitCode> {
  const { id, format } = asked;
  await withHub(context, (hub) =>
    namingNear(hub, asked, async () => {
      const found = await hub.graph(id);
      const statuses = new Map<number, ElectronStatus>();
      for await (const electron of electronsOf(hub, { id })) statuses.set(electron.id, electron.status);
      const text = found.draw(format, (node) => statuses.get(node));
      if (context.json) writeJson(context, { id, format, text, nodes: found.nodes });
      else context.terminal.raw(text.endsWith('\n') ? text : `${text}\n`);
    }),
  );
  return exitCodes.ok;
}
