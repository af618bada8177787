/** `polaron cancel ID [--electron NAME…] [--reason TEXT]`. */
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { electronArgument } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { namingNear } from '../unknown.ts';

export interface CancelArguments {
  readonly id: string;
  /** Names or node ids; none: the whole dispatch. */
  readonly electrons: readonly string[];
  readonly reason?: string;
}

/** 0 even if an agent hasn't confirmed yet: the cancel stands, and the answer names those electrons. */
export async function cancel(context: Context, asked: CancelArguments): Promise<ExitCode> {
  const { id, electrons, reason } = asked;
  const [electron] = electrons;
  const reply = await withHub(context, (hub) =>
    namingNear(hub, electron === undefined ? { id } : { id, electron }, () =>
      hub.cancel({
        id,
        ...(electrons.length === 0 ? {} : { electrons: electrons.map(electronArgument) }),
        ...(reason === undefined ? {} : { reason }),
      }),
    ),
  );
  const { cancelled, unconfirmed, more = 0 } = reply;
  if (context.json) {
    writeJson(context, { id, ...reply });
    return exitCodes.ok;
  }
  const what = electrons.length === 0 ? `dispatch ${id}` : `${electrons.join(', ')} of ${id}`;
  const count = cancelled.length + more;
  const stopped = `${count} electron${count === 1 ? '' : 's'} stopped`;
  const nothing = cancelled.length === 0 && unconfirmed.length === 0;
  context.terminal.out(nothing ? `nothing was left to cancel of ${what}` : `cancelled ${what}: ${stopped}`);
  if (unconfirmed.length > 0) context.terminal.err(`not confirmed by their agents yet: ${unconfirmed.join(', ')}`);
  return exitCodes.ok;
}
