/** `polaron redispatch ID [--reuse] [--set name=value]`: a new dispatch from what the hub has of an old one. */
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { namingNear } from '../unknown.ts';

export interface RedispatchArguments {
  readonly id: string;
  readonly reuse: boolean;
  /** `name=value`. */
  readonly settings: readonly string[];
}

export async function redispatch(context: Context, asked: RedispatchArguments): Promise<ExitCode> {
  const { id: old } = asked;
  const id = await withHub(context, (hub) => namingNear(hub, { id: old }, () => hub.redispatch(asked)));
  if (context.json) writeJson(context, { id, of: old });
  else context.terminal.out(id);
  return exitCodes.ok;
}
