/** `polaron purge --older-than TIME [--status STATUS,…] [--dry-run]`: asks page by page until all is removed. */
import type { PurgeReply } from '../../bus/protocol/api.ts';
import type { DispatchStatus } from '../../model/lifecycle.ts';
import { many, size } from '../bytes.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';

export interface PurgeArguments {
  readonly olderThanMs: number;
  readonly statuses?: readonly DispatchStatus[];
  readonly dryRun: boolean;
}

/** Nothing to remove is fine. */
export async function purge(context: Context, asked: PurgeArguments): Promise<ExitCode> {
  const sum = { dispatches: 0, electrons: 0, values: 0, bytes: 0, held: 0 };
  await withHub(context, async (hub) => {
    let from: string | undefined;
    do {
      const page: PurgeReply = await hub.purge(from === undefined ? asked : { ...asked, from });
      sum.dispatches += page.dispatches;
      sum.electrons += page.electrons;
      sum.values += page.values ?? 0;
      sum.bytes += page.bytes ?? 0;
      sum.held += page.held ?? 0;
      from = page.next;
      if (sum.dispatches > 0) context.terminal.status(`${many(sum.dispatches, 'dispatch')}…`);
    } while (from !== undefined);
  });
  context.terminal.status('');
  if (context.json) {
    writeJson(context, { ...sum, dryRun: asked.dryRun });
    return exitCodes.ok;
  }
  const what = `${many(sum.dispatches, 'dispatch')} with ${many(sum.electrons, 'electron')}`;
  if (asked.dryRun) context.terminal.out(`would remove ${what}`);
  else context.terminal.out(`removed ${what}, and ${many(sum.values, 'value')} (${size(sum.bytes)})`);
  if (sum.held > 0)
    context.terminal.err(
      `${many(sum.held, 'value')} stay for now: they were in use within the last hour, or may have been`,
    );
  return exitCodes.ok;
}
