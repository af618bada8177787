/** `polaron backup DIR`: asks the hub of this machine for a copy of its data folder, until it is done. */
import { resolve } from 'node:path';
import type { BackupReply } from '../../bus/protocol/api.ts';
import { many, size } from '../bytes.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';

/** Raises USAGE when the folder isn't empty. */
export async function backup(context: Context, asked: { readonly folder: string }): Promise<ExitCode> {
  const folder = resolve(context.cwd, asked.folder);
  const host = await context.host();
  const reply = await withHub(context, async (hub) => {
    await hub.status(); // no folder is made for a hub that isn't there
    const ticket = host.prepareBackup(folder);
    for (;;) {
      const answer: BackupReply = await hub.backup({ folder, ticket });
      if (answer.done) return answer;
      context.terminal.status('copying…');
    }
  });
  context.terminal.status('');
  const { values, bytes } = reply;
  if (context.json) writeJson(context, { folder, values, bytes });
  else context.terminal.out(`copied to ${folder}: records and ${many(values, 'large value')}, ${size(bytes)}`);
  return exitCodes.ok;
}
