/** `polaron compact [--data DIR]`: makes the data folder of a stopped hub as small as what is in it. */
import { resolve } from 'node:path';
import { homePaths } from '../../host/home.ts';
import { stderrLog } from '../../host/stderr-log.ts';
import { many, size } from '../bytes.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';

export async function compact(context: Context, asked: { readonly data?: string }): Promise<ExitCode> {
  const data = asked.data === undefined ? homePaths(context.env).data : resolve(context.cwd, asked.data);
  const host = await context.host();
  const done = await host.compactData(data, stderrLog('compact', context.env));
  if (context.json) {
    writeJson(context, { data, ...done });
    return exitCodes.ok;
  }
  const { values, bytes, before, after } = done;
  context.terminal.out(
    `removed ${many(values, 'value')} (${size(bytes)}); records: ${size(before)} before, ${size(after)} now`,
  );
  return exitCodes.ok;
}
